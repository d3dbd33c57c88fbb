import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { isAtEnd, keepAnchor, takeAnchor } from "../view/anchor.js";
import { rows } from "../view/rows.js";
import { Seen } from "../view/seen.js";
import { html, useModel, usePage } from "./html.js";
import { Icon } from "./icon.js";
import { MessageRow } from "./message.js";

/**
 * @param {object} props
 * @param {import("../realtime/types.js").Conversation} props.conversation
 * @param {number | null} props.newAfter
 * @param {string | null} props.editingId
 * @param {import("./conversation.js").ConversationVerbs} props.verbs
 * @param {import("preact").RefObject<HTMLDivElement>} props.scroller
 */
export function TimelineView({ conversation, newAfter, editingId, verbs, scroller }) {
  const { session, actor } = usePage();
  const timeline = useModel(session.archive.timeline(conversation.id));
  const outbox = useModel(session.outbox);
  const seen = useSeen(session);
  const [away, setAway] = useState(false);
  const names = useNames(conversation);
  const shown = rows({ messages: timeline.messages, entries: outbox.of(conversation.id), actor, newAfter });
  useKept(scroller);
  useOlder(scroller, timeline, () => session.older(conversation.id));
  return html`
    <div class="timeline-frame">
      <div
        class="timeline"
        role="log"
        aria-label="Messages"
        tabindex="0"
        ref=${scroller}
        onScroll=${() => setAway(!!scroller.current && !isAtEnd(scroller.current))}
      >
        <div class="timeline-content">
          ${timeline.hasBefore ? html`<${Skeleton} />` : html`<${Beginning} conversation=${conversation} empty=${!shown.length} />`}
          ${shown.map(
            (row) => html`
              <div class="row" key=${row.key}>
                ${row.day && html`<div class="day"><span>${row.day}</span></div>`}
                ${row.isNew && html`<div class="new-line" role="separator"><span>New</span></div>`}
                <${MessageRow}
                  message=${row.message}
                  entry=${row.entry}
                  isFirst=${row.isFirst}
                  isEditing=${row.message.id === editingId}
                  quoted=${row.message.replyToId ? timeline.get(row.message.replyToId) : undefined}
                  names=${names}
                  seen=${seen}
                  verbs=${verbs}
                />
              </div>
            `,
          )}
        </div>
      </div>
      ${away && html`<${ToLatest} unread=${conversation.unreadCount} onClick=${() => scroller.current?.scrollTo({ top: 0 })} />`}
    </div>
  `;
}

/** @param {import("../realtime/session.js").Session} session */
function useSeen(session) {
  const seen = useMemo(() => new Seen((message) => session.seen(message)), [session]);
  useEffect(() => () => seen.stop(), [seen]);
  return seen;
}

/** @param {import("../realtime/types.js").Conversation} conversation */
function useNames({ participants }) {
  return useMemo(() => {
    const byId = new Map(participants.map(({ id, displayName }) => [id, displayName]));
    return (/** @type {string} */ id) => byId.get(id) ?? "someone";
  }, [participants]);
}

/** Taken while the page is still as the reader sees it, kept once it has changed. @param {import("preact").RefObject<HTMLDivElement>} scroller */
function useKept(scroller) {
  const anchor = takeAnchor(scroller.current, ".message");
  useLayoutEffect(() => keepAnchor(scroller.current, anchor));
}

/**
 * Loads the page before, a screen ahead of the reader.
 * @param {import("preact").RefObject<HTMLDivElement>} scroller
 * @param {import("../realtime/timeline.js").Timeline} timeline @param {() => Promise<void>} load
 */
function useOlder(scroller, timeline, load) {
  const { fromSeq, hasBefore } = timeline;
  useEffect(() => {
    const top = scroller.current?.querySelector(".skeleton");
    if (!top || !hasBefore) return;
    let again = 0;
    const tryLoad = () => void load().catch(() => (again = window.setTimeout(tryLoad, 2_000)));
    const observer = new IntersectionObserver(
      (entries) => (entries.some(({ isIntersecting }) => isIntersecting) ? tryLoad() : clearTimeout(again)),
      { root: scroller.current, rootMargin: "800px 0px 0px 0px" },
    );
    observer.observe(top);
    return () => {
      observer.disconnect();
      clearTimeout(again);
    };
  }, [fromSeq, hasBefore]);
}

/** As tall as it will ever be, so that nothing moves when it goes. */
export const Skeleton = () => html`
  <div class="skeleton" aria-hidden="true">
    ${[62, 38, 74].map((width) => html`<div class="skeleton-row"><i></i><b></b><s class="w${width}"></s></div>`)}
  </div>
`;

/** @param {{conversation: import("../realtime/types.js").Conversation, empty: boolean}} props */
const Beginning = ({ conversation: { kind }, empty }) => html`
  <p class="beginning">
    ${empty ? "Nothing has been said here yet. The first word is yours." : kind === "group" ? "You joined here." : "This is where it began."}
  </p>
`;

/** @param {{unread: number, onClick: () => void}} props */
const ToLatest = ({ unread, onClick }) => html`
  <button type="button" class="to-latest" onClick=${onClick}>
    <${Icon} name="arrowDown" /> ${unread ? `${unread} new` : "Latest"}
  </button>
`;
