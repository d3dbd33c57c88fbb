import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { Thread } from "../realtime/thread.js";
import { directory } from "../view/people.js";
import { rows } from "../view/rows.js";
import { Composer } from "./composer.js";
import { html, useModel, usePage } from "./html.js";
import { IconButton } from "./icon.js";
import { MessageRow } from "./message.js";
import { takeBack } from "./takeBack.js";
import { tickOf } from "./tick.js";
import { Skeleton } from "./timelineView.js";

/**
 * A message and its replies, beside the conversation.
 * @param {object} props
 * @param {import("../realtime/types.js").Conversation} props.conversation
 * @param {string} props.rootId
 * @param {Pick<import("./conversation.js").ConversationVerbs, "thread" | "explain" | "revisions">} props.shows
 * @param {{current: import("./conversation.js").Moves | null}} props.moves
 * @param {() => void} props.onClose
 */
export function ThreadPanel({ conversation, rootId, shows, moves, onClose }) {
  const page = usePage();
  const { session, actor, deletions } = page;
  const place = `${conversation.id} ${rootId}`;
  const [drafts, redraft] = useState(0);
  const thread = useModel(useMemo(() => new Thread(session, conversation.id, rootId), []));
  const outbox = useModel(session.outbox);
  const readers = useModel(session.readers);
  useModel(deletions);
  const [problem, setProblem] = useState("");
  const [editingId, edit] = useState(/** @type {string | null} */ (null));
  const [unfolded, setUnfolded] = useState(/** @type {string[]} */ ([]));
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const people = useMemo(() => directory(conversation.participants, actor), [conversation.participants]);
  const load = () => void thread.load().then(() => setProblem(""), (error) => setProblem(asFailure(error).message));
  useEffect(() => (load(), () => thread.stop()), []);
  const verbs = useMemo(
    () => ({
      ...shows,
      thread: null,
      replyTo: () => field.current?.focus(),
      edit,
      remove: (/** @type {import("../realtime/types.js").Message} */ message) => deletions.begin(message.id),
      show: (/** @type {string} */ messageId) => moves.current?.toMessage(messageId),
      unfold: (/** @type {string} */ id) => setUnfolded((known) => (known.includes(id) ? known.filter((one) => one !== id) : [...known, id])),
      retry: (/** @type {import("../realtime/outbox.js").Entry} */ entry) => session.outbox.retry(entry.clientMessageId),
      takeBack: (/** @type {import("../realtime/outbox.js").Entry} */ entry) => {
        takeBack(page, entry, place);
        redraft((count) => count + 1);
      },
    }),
    [],
  );
  const entries = outbox.of(conversation.id).filter(({ replyToId }) => replyToId && thread.byId.has(replyToId));
  const list = rows({ messages: thread.messages, entries, actor, newAfter: null });
  return html`
    <aside class="details thread" aria-label="Thread">
      <header class="details-head">
        <h2>Thread</h2>
        <${IconButton} icon="close" label="Close" onClick=${onClose} />
      </header>
      <div class="details-scroll" role="log" aria-label="Replies" aria-live="polite" tabindex="0">
        ${problem && html`<p class="problem" role="alert">${problem} <button type="button" class="button plain" onClick=${load}>Try again</button></p>`}
        ${!thread.loaded && !problem && html`<${Skeleton} />`}
        ${list.map(
          (row, index) => html`
            <div class="row" key=${row.key}>
              <${MessageRow}
                message=${row.message.replyToId === rootId ? { ...row.message, replyToId: null } : row.message}
                entry=${row.entry}
                isFirst=${row.isFirst || index < 2}
                isEditing=${row.message.id === editingId}
                isOpen=${unfolded.includes(row.message.id)}
                isGoing=${deletions.isPending(row.message.id)}
                tick=${row.message.senderId === actor.id ? tickOf(row.message, row.entry, readers, people.name, conversation.kind === "direct") : null}
                quoted=${thread.byId.get(row.message.replyToId ?? "")}
                people=${people}
                verbs=${verbs}
              />
            </div>
          `,
        )}
      </div>
      <${Composer} key=${drafts} conversation=${conversation} place=${place} label="Reply in the thread" placeholder="Reply…" replyToId=${rootId} field=${field} />
    </aside>
  `;
}
