import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { isAtEnd, keepAnchor, takeAnchor } from "../view/anchor.js";
import { hasWrittenSince } from "../view/focus.js";
import { MOST, STEP, around, earlier, later, newest, within } from "../view/window.js";
import { usePage } from "./html.js";

const AGAIN_MS = 2_000;
const FOUND_MS = 2_400;

/** @typedef {{place: string, at: number}} Target  a message or "end", and when one set out for it */

/**
 * What of a timeline is on the page, how one moves through it, and that nothing jumps meanwhile.
 * @param {import("../realtime/timeline.js").Timeline} timeline
 * @param {import("preact").RefObject<HTMLDivElement>} scroller
 */
export function useWindow(timeline, scroller) {
  const { session, report } = usePage();
  const id = timeline.conversationId;
  const [bounds, setBounds] = useState(() => newest(timeline.messages));
  const target = useRef(/** @type {Target | null} */ (null));
  /** Where one wanted to go last, whatever is answered first. */
  const journey = useRef(0);
  const shown = within(timeline.messages, bounds, timeline.hasBefore);
  const follows = bounds.until == null && !timeline.hasAfter;
  const hasBefore = shown.hidesBefore || timeline.hasBefore;
  const hasAfter = shown.hidesAfter || timeline.hasAfter;
  const move = (/** @type {typeof earlier} */ how) => setBounds((known) => how(timeline.messages, known));

  const showEarlier = async () => {
    if (!shown.hidesBefore) await session.older(id);
    move(earlier);
  };
  const showLater = async () => {
    if (!shown.hidesAfter) await session.newer(id);
    move(later);
  };
  const depart = () => {
    const [mine, at] = [(journey.current += 1), performance.now()];
    return { at, isOver: () => mine !== journey.current };
  };
  const toLatest = async ({ at, isOver } = depart()) => {
    if (timeline.hasAfter) await session.archive.reload(id);
    if (isOver()) return;
    target.current = { place: "end", at };
    setBounds(newest(timeline.messages));
  };
  const toPosition = async (/** @type {number} */ seq, /** @type {string | null} */ messageId = null, { at, isOver } = depart()) => {
    if (!timeline.holds(seq)) await session.archive.around(id, seq);
    if (isOver()) return;
    target.current = { place: messageId ?? timeline.messages.find((one) => (one.seq ?? Infinity) >= seq)?.id ?? "end", at };
    setBounds(around(timeline.messages, seq));
  };
  const toMessage = async (/** @type {string} */ messageId, going = depart()) => {
    await session.fetchMessage(id, messageId);
    const { seq } = timeline.get(messageId) ?? {};
    if (seq != null && !going.isOver()) await toPosition(seq, messageId, going);
  };
  const tried = (/** @type {Promise<unknown>} */ going) => going.catch(report);

  useAnchor(scroller, follows);
  useLayoutEffect(() => {
    if (target.current && arrive(scroller.current, target.current)) target.current = null;
  });
  useSentinel(scroller, ".before", showEarlier, [hasBefore, bounds, timeline.fromSeq]);
  useSentinel(scroller, ".after", showLater, [hasAfter, bounds, timeline.toSeq]);
  useEffect(() => {
    // What has been talked past goes, while one stands at the end.
    if (follows && shown.items.length > MOST + STEP && scroller.current && isAtEnd(scroller.current)) move(newest);
  });
  return {
    ...shown,
    follows,
    hasBefore,
    hasAfter,
    toLatest: () => tried(toLatest()),
    toMessage: (/** @type {string} */ messageId) => tried(toMessage(messageId)),
    toPosition: (/** @type {number} */ seq) => tried(toPosition(seq)),
  };
}

/** Taken while the page is still as the reader sees it, kept once it has changed. @param {import("preact").RefObject<HTMLDivElement>} scroller @param {boolean} follows */
function useAnchor(scroller, follows) {
  const anchor = takeAnchor(scroller.current, ".message", follows);
  useLayoutEffect(() => keepAnchor(scroller.current, anchor));
}

/** @param {HTMLElement | null} scroller @param {Target} target @returns {boolean} whether it was there */
function arrive(scroller, { place, at }) {
  if (place === "end") {
    scroller?.scrollTo({ top: 0 });
    return true;
  }
  const element = /** @type {HTMLElement | null} */ (scroller?.querySelector(`[data-message="${CSS.escape(place)}"]`) ?? null);
  if (!element) return false;
  element.scrollIntoView({ block: "center" });
  if (!hasWrittenSince(at)) element.focus({ preventScroll: true });
  element.classList.add("found");
  setTimeout(() => element.classList.remove("found"), FOUND_MS);
  return true;
}

/**
 * Loads more, a screen ahead of the reader, and again where it failed.
 * @param {import("preact").RefObject<HTMLDivElement>} scroller @param {string} selector
 * @param {() => Promise<void>} load @param {any[]} when
 */
function useSentinel(scroller, selector, load, when) {
  useEffect(() => {
    const sentinel = scroller.current?.querySelector(`.skeleton${selector}`);
    if (!sentinel) return;
    let again = 0;
    const tryLoad = () => void load().catch(() => (again = window.setTimeout(tryLoad, AGAIN_MS)));
    const observer = new IntersectionObserver(
      (entries) => (entries.some(({ isIntersecting }) => isIntersecting) ? tryLoad() : clearTimeout(again)),
      { root: scroller.current, rootMargin: "800px 0px" },
    );
    observer.observe(sentinel);
    return () => {
      observer.disconnect();
      clearTimeout(again);
    };
  }, when);
}
