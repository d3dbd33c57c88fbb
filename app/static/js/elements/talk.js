import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { focusUnlessWriting } from "../view/focus.js";
import { directory } from "../view/people.js";
import { Composer } from "./composer.js";
import { html, usePage } from "./html.js";
import { Queue } from "./queue.js";
import { StatusLine } from "./statusLine.js";
import { takeBack } from "./takeBack.js";
import { TimelineView } from "./timelineView.js";

/**
 * @typedef {import("../realtime/types.js").Message} Message
 * @typedef {import("../realtime/outbox.js").Entry} Entry
 * @typedef {import("./conversation.js").Moves} Moves
 */

/**
 * @param {object} props
 * @param {import("../realtime/types.js").Conversation} props.conversation
 * @param {string} props.name
 * @param {{current: Moves | null}} props.moves
 * @param {Pick<import("./conversation.js").ConversationVerbs, "thread" | "explain" | "revisions">} props.shows
 */
export function Talk({ conversation, name, moves, shows }) {
  const page = usePage();
  const { session, actor, router, deletions } = page;
  const { id } = conversation;
  const scroller = useRef(/** @type {HTMLDivElement | null} */ (null));
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [replyTo, setReplyTo] = useState(/** @type {Message | null} */ (null));
  const [editingId, edit] = useState(/** @type {string | null} */ (null));
  const [unfolded, setUnfolded] = useState(/** @type {Set<string>} */ (new Set()));
  const [drafts, redraft] = useState(0);
  const [newAfter, setNewAfter] = useNewLine(conversation);
  const people = useMemo(() => directory(conversation.participants, actor), [conversation.participants]);
  const verbs = useMemo(
    () => ({
      ...shows,
      replyTo: (/** @type {Message} */ message) => (setReplyTo(message), field.current?.focus()),
      edit: (/** @type {string | null} */ messageId) => (edit(messageId), messageId || focusUnlessWriting(field.current, ".editing")),
      remove: (/** @type {Message} */ message) => deletions.begin(message.id),
      show: (/** @type {string} */ messageId) => moves.current?.toMessage(messageId),
      unfold: (/** @type {string} */ messageId) => setUnfolded((known) => toggled(known, messageId)),
      retry: (/** @type {Entry} */ entry) => session.outbox.retry(entry.clientMessageId),
      takeBack: (/** @type {Entry} */ entry) => {
        takeBack(page, entry, id);
        redraft((count) => count + 1);
      },
    }),
    [id],
  );
  const sent = () => {
    setReplyTo(null);
    setNewAfter(null);
    moves.current?.toLatest();
  };
  const editLast = () => {
    // What is on its way cannot be changed yet, and the one before it is not meant.
    if (session.outbox.of(id).length) return;
    const last = session.archive.timeline(id).messages.findLast((one) => one.senderId === actor.id && !one.deletedAt && one.persisted);
    if (last) edit(last.id);
  };
  useEffect(() => {
    if (router.messageId) moves.current?.toMessage(router.messageId);
  }, [router.messageId]);
  return html`
    <${TimelineView}
      conversation=${conversation}
      newAfter=${newAfter}
      editingId=${editingId}
      unfolded=${unfolded}
      people=${people}
      verbs=${verbs}
      scroller=${scroller}
      onMoves=${(/** @type {Moves} */ found) => (moves.current = found)}
    />
    <${Queue} conversationId=${id} />
    <${Composer}
      key=${drafts}
      conversation=${conversation}
      place=${id}
      placeholder="Message ${name}"
      replyTo=${replyTo}
      onCancelReply=${() => setReplyTo(null)}
      onSent=${sent}
      onEditLast=${editLast}
      field=${field}
    />
    <${StatusLine} conversationId=${id} people=${people} />
  `;
}

/** @param {Set<string>} known @param {string} id */
function toggled(known, id) {
  const next = new Set(known);
  if (!next.delete(id)) next.add(id);
  return next;
}

/**
 * Where the unread began when the conversation was opened, or when the reader came back to the page.
 * @param {import("../realtime/types.js").Conversation} conversation
 * @returns {[number | null, (seq: number | null) => void]}
 */
function useNewLine({ id, readSeq, unreadCount }) {
  const { session } = usePage();
  const [newAfter, setNewAfter] = useState(unreadCount ? readSeq : null);
  useEffect(() => {
    const leave = () => {
      if (document.visibilityState === "hidden" || !document.hasFocus()) setNewAfter(session.conversations.get(id)?.readSeq ?? null);
    };
    addEventListener("blur", leave);
    document.addEventListener("visibilitychange", leave);
    return () => {
      removeEventListener("blur", leave);
      document.removeEventListener("visibilitychange", leave);
    };
  }, [id]);
  return [newAfter, setNewAfter];
}
