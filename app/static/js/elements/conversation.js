import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { draftOf, keepDraft } from "../view/drafts.js";
import { subtitle, title } from "../view/names.js";
import { ConversationAvatar } from "./avatar.js";
import { Banner } from "./banner.js";
import { Composer } from "./composer.js";
import { ConfirmDelete } from "./confirmDelete.js";
import { html, useModel, usePage } from "./html.js";
import { Icon, IconButton } from "./icon.js";
import { Members } from "./members.js";
import { Skeleton, TimelineView } from "./timelineView.js";

/**
 * @typedef {import("../realtime/types.js").Message} Message
 * @typedef {import("../realtime/outbox.js").Entry} Entry
 *
 * What a message's own buttons may ask of the conversation around it.
 * @typedef {object} ConversationVerbs
 * @property {(message: Message) => void} replyTo
 * @property {(messageId: string | null) => void} edit
 * @property {(message: Message) => void} remove
 * @property {(messageId: string) => void} show
 * @property {(entry: Entry) => void} retry
 * @property {(entry: Entry) => void} takeBack
 */

/** @param {{id: string}} props */
export function ConversationPane({ id }) {
  const { session, actor } = usePage();
  const conversation = useModel(session.conversations).get(id);
  const { problem, retry } = useOpened(id);
  const [showsMembers, showMembers] = useState(false);
  if (!conversation) return html`<${Absent} problem=${problem} onRetry=${retry} />`;
  const name = title(conversation, actor.id);
  return html`
    <main class="conversation" aria-label=${name}>
      <header class="conversation-head">
        <a class="icon-button back" href="/chat" aria-label="All conversations" title="All conversations"><${Icon} name="back" /></a>
        <${ConversationAvatar} conversation=${conversation} actorId=${actor.id} />
        <div class="conversation-names">
          <h1>${name}</h1>
          <p>${subtitle(conversation)}</p>
        </div>
        ${conversation.kind !== "direct" &&
        html`<${IconButton} icon="users" label="Members" aria-expanded=${String(showsMembers)} onClick=${() => showMembers(!showsMembers)} />`}
      </header>
      <${Banner} />
      ${session.archive.holds(id)
        ? html`<${Talk} key=${id} conversation=${conversation} name=${name} />`
        : html`<${Loading} problem=${problem} onRetry=${retry} />`}
    </main>
    ${showsMembers && conversation.kind !== "direct" && html`<${Members} key=${id} conversation=${conversation} onClose=${() => showMembers(false)} />`}
  `;
}

/** Loads the conversation and its newest page, once at a time and again where asked. @param {string} id */
function useOpened(id) {
  const { session } = usePage();
  const [problem, setProblem] = useState("");
  const [tries, again] = useState(0);
  useModel(session.archive.timeline(id));
  useEffect(() => {
    let current = true;
    setProblem("");
    const known = session.conversations.get(id) ?? session.fetchConversation(id);
    Promise.resolve(known)
      .then((conversation) => conversation && session.open(id))
      .then((opened) => current && !opened && setProblem("There is no such conversation, or it is not yours to see."))
      .catch((error) => current && setProblem(asFailure(error).message));
    return () => void (current = false);
  }, [id, tries]);
  useEffect(() => session.connection.on("state", (state) => state === "online" && problem && again((count) => count + 1)), [problem]);
  return { problem, retry: () => again(tries + 1) };
}

/** @param {{conversation: import("../realtime/types.js").Conversation, name: string}} props */
function Talk({ conversation, name }) {
  const { session, actor } = usePage();
  const scroller = useRef(/** @type {HTMLDivElement | null} */ (null));
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [replyTo, setReplyTo] = useState(/** @type {Message | null} */ (null));
  const [editingId, edit] = useState(/** @type {string | null} */ (null));
  const [removing, remove] = useState(/** @type {Message | null} */ (null));
  const [drafts, redraft] = useState(0);
  const [newAfter, setNewAfter] = useNewLine(conversation);
  const verbs = useMemo(
    () => ({
      replyTo: (/** @type {Message} */ message) => (setReplyTo(message), field.current?.focus()),
      edit: (/** @type {string | null} */ messageId) => (edit(messageId), messageId || field.current?.focus()),
      remove,
      show: (/** @type {string} */ messageId) => show(scroller.current, messageId),
      retry: (/** @type {Entry} */ entry) => session.outbox.retry(entry.clientMessageId),
      takeBack: (/** @type {Entry} */ entry) => {
        session.outbox.discard(entry.clientMessageId);
        const draft = draftOf(actor.id, conversation.id);
        keepDraft(actor.id, conversation.id, draft ? `${entry.content}\n${draft}` : entry.content);
        redraft((count) => count + 1);
      },
    }),
    [conversation.id],
  );
  const sent = () => {
    setReplyTo(null);
    setNewAfter(null);
    scroller.current?.scrollTo({ top: 0 });
  };
  const editLast = () => {
    // What is on its way cannot be changed yet, and the one before it is not meant.
    if (session.outbox.of(conversation.id).length) return;
    const last = session.archive.timeline(conversation.id).messages.findLast((one) => one.senderId === actor.id && !one.deletedAt && one.persisted);
    if (last) edit(last.id);
  };
  return html`
    <${TimelineView} conversation=${conversation} newAfter=${newAfter} editingId=${editingId} verbs=${verbs} scroller=${scroller} />
    <${Composer}
      key=${drafts}
      conversationId=${conversation.id}
      placeholder="Message ${name}"
      replyTo=${replyTo}
      onCancelReply=${() => setReplyTo(null)}
      onSent=${sent}
      onEditLast=${editLast}
      field=${field}
    />
    ${removing && html`<${ConfirmDelete} message=${removing} onDone=${() => remove(null)} />`}
  `;
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

/** @param {HTMLElement | null} scroller @param {string} messageId */
function show(scroller, messageId) {
  const element = /** @type {HTMLElement | null} */ (scroller?.querySelector(`[data-message="${CSS.escape(messageId)}"]`) ?? null);
  element?.scrollIntoView({ block: "center" });
  element?.focus({ preventScroll: true });
}

/** @param {{problem: string, onRetry: () => void}} props */
const Loading = ({ problem, onRetry }) => html`
  <div class="timeline-frame">
    ${problem
      ? html`<${Problem} problem=${problem} onRetry=${onRetry} />`
      : html`<div class="timeline" aria-busy="true"><div class="timeline-content"><${Skeleton} /><${Skeleton} /></div></div>`}
  </div>
`;

/** @param {{problem: string, onRetry: () => void}} props */
const Absent = ({ problem, onRetry }) => html`
  <main class="conversation">
    <header class="conversation-head">
      <a class="icon-button back" href="/chat" aria-label="All conversations"><${Icon} name="back" /></a>
    </header>
    <${Banner} />
    <${Loading} problem=${problem} onRetry=${onRetry} />
  </main>
`;

/** @param {{problem: string, onRetry: () => void}} props */
const Problem = ({ problem, onRetry }) => html`
  <div class="empty" role="alert">
    <p>${problem}</p>
    <button type="button" class="button" onClick=${onRetry}>Try again</button>
  </div>
`;
