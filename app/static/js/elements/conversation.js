import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { title } from "../view/names.js";
import { Banner } from "./banner.js";
import { ConversationHead } from "./conversationHead.js";
import { Details } from "./details.js";
import { html, useModel, usePage } from "./html.js";
import { Icon } from "./icon.js";
import { Passport } from "./passport.js";
import { Revisions } from "./revisions.js";
import { SupportBar } from "./supportBar.js";
import { Talk } from "./talk.js";
import { ThreadPanel } from "./threadPanel.js";
import { Skeleton } from "./timelineView.js";
import { useLive } from "./useLive.js";

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
 * @property {(messageId: string) => void} unfold
 * @property {((message: Message) => void) | null} thread  null within the thread itself
 * @property {(message: Message) => void} explain
 * @property {(message: Message) => void} revisions
 * @property {(entry: Entry) => void} retry
 * @property {(entry: Entry) => void} takeBack
 *
 * How one moves through the history.
 * @typedef {{toLatest: () => unknown, toMessage: (messageId: string) => unknown, toPosition: (seq: number) => unknown}} Moves
 *
 * @typedef {{kind: "details"} | {kind: "thread", rootId: string}} Panel
 */

/** @param {{id: string}} props */
export function ConversationPane({ id }) {
  const { session, actor, router } = usePage();
  const conversation = useModel(session.conversations).get(id);
  const { problem, retry } = useOpened(id);
  const [panel, setPanel] = useState(/** @type {Panel | null} */ (null));
  const [explained, explain] = useState(/** @type {Message | null} */ (null));
  const [revised, revisions] = useState(/** @type {Message | null} */ (null));
  const moves = useRef(/** @type {Moves | null} */ (null));
  useLive(id);
  const shows = useMemo(
    () => ({
      thread: (/** @type {Message} */ message) => setPanel({ kind: "thread", rootId: message.threadRootId ?? message.id }),
      explain,
      revisions,
    }),
    [],
  );
  if (!conversation) return html`<${Absent} problem=${problem} onRetry=${retry} />`;
  const name = title(conversation, actor.id);
  const close = () => setPanel(null);
  const showDetails = () => setPanel(panel?.kind === "details" ? null : { kind: "details" });
  return html`
    <main class="conversation" aria-label=${name}>
      <${ConversationHead} conversation=${conversation} name=${name} moves=${moves} showsDetails=${panel?.kind === "details"} onDetails=${showDetails} />
      ${conversation.kind === "support" && actor.kind !== "customer" && html`<${SupportBar} conversation=${conversation} />`}
      <${Banner} />
      ${session.archive.holds(id)
        ? html`<${Talk} conversation=${conversation} name=${name} moves=${moves} shows=${shows} />`
        : html`<${Loading} problem=${problem} onRetry=${retry} />`}
    </main>
    ${panel?.kind === "details" && html`<${Details} conversation=${conversation} onClose=${close} />`}
    ${panel?.kind === "thread" &&
    html`<${ThreadPanel} key=${panel.rootId} conversation=${conversation} rootId=${panel.rootId} shows=${shows} moves=${moves} onClose=${close} />`}
    ${explained && html`<${Passport} message=${explained} onClose=${() => explain(null)} />`}
    ${revised && html`<${Revisions} message=${revised} onClose=${() => revisions(null)} />`}
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
  useLayoutEffect(() => session.connection.on("state", (state) => state === "online" && problem && again((count) => count + 1)), [problem]);
  return { problem, retry: () => again(tries + 1) };
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
    <${Icon} name="alert" />
    <p>${problem}</p>
    <button type="button" class="button" onClick=${onRetry}>Try again</button>
  </div>
`;
