import { useEffect, useRef, useState } from "preact/hooks";
import { isLong } from "../view/markdown.js";
import { clock, full } from "../view/time.js";
import { Attachments } from "./attachments.js";
import { Avatar } from "./avatar.js";
import { Editing } from "./editing.js";
import { html, memo, usePage } from "./html.js";
import { Icon } from "./icon.js";
import { MessageActions } from "./messageActions.js";
import { Quote } from "./quote.js";
import { ReactionPicker, Reactions } from "./reactions.js";
import { RichText } from "./richText.js";
import { Tick } from "./tick.js";

/**
 * @typedef {object} MessageProps
 * @property {import("../realtime/types.js").Message} message
 * @property {import("../realtime/outbox.js").Entry | null} entry
 * @property {boolean} isFirst
 * @property {boolean} isEditing
 * @property {boolean} isOpen  shown whole, however long
 * @property {boolean} isGoing  deleted, and not yet for good
 * @property {import("./tick.js").TickState | null} tick
 * @property {import("../realtime/types.js").Message | undefined} quoted
 * @property {import("../view/people.js").Directory} people
 * @property {import("../view/seen.js").Seen} [seen]
 * @property {import("./conversation.js").ConversationVerbs} verbs
 */

export const MessageRow = memo(
  /** @param {MessageProps} props */
  (props) => {
    const { message, entry, isFirst, verbs } = props;
    const element = useWatched(props);
    const [picking, pick] = useState(false);
    const mine = usePage().actor.id === message.senderId;
    const name = message.sender.displayName;
    const isGone = !!message.deletedAt || props.isGoing;
    const classes = { first: isFirst, mine, failed: entry?.state === "failed", pending: !!entry, picking };
    return html`
      <article
        class="message ${Object.entries(classes).filter(([, is]) => is).map(([word]) => word).join(" ")}"
        ref=${element}
        tabindex="-1"
        aria-label="${name}, ${clock(message.createdAt)}"
        data-message=${message.id}
        data-seq=${message.seq}
      >
        ${isFirst && html`<${Avatar} id=${message.senderId} name=${name} url=${message.sender.avatarUrl} />`}
        ${isFirst
          ? html`<header class="message-head">
              <span class="message-sender">${name}</span>
              ${message.senderType === "bot" && html`<span class="tag">bot</span>`}
              <${When} at=${message.createdAt} />
            </header>`
          : html`<${When} at=${message.createdAt} />`}
        <div class="message-body">
          ${message.replyToId && !isGone && html`<${Quote} message=${message} quoted=${props.quoted} verbs=${verbs} />`}
          <${Content} ...${props} />
          ${!props.isGoing && html`<${Attachments} attachments=${message.attachments} />`}
          <${Reactions} message=${message} people=${props.people} onMore=${() => pick(true)} />
          ${message.replyCount > 0 && verbs.thread && html`<${ReplyCount} message=${message} verbs=${verbs} />`}
          ${entry && html`<${EntryState} entry=${entry} verbs=${verbs} />`}
        </div>
        ${props.tick && !isGone && html`<${Tick} tick=${props.tick} onClick=${message.persisted ? () => verbs.explain(message) : null} />`}
        ${message.persisted && !isGone && !props.isEditing && html`<${MessageActions} message=${message} mine=${mine} verbs=${verbs} onReact=${() => pick(true)} />`}
        ${picking && html`<${ReactionPicker} message=${message} onClose=${() => pick(false)} />`}
      </article>
    `;
  },
);

/** Tells what is in sight, as long as it is. @param {MessageProps} props */
function useWatched({ message, seen }) {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (element.current && message.seq != null) seen?.watch(element.current, message);
  }, [message, seen]);
  useEffect(() => {
    const { current } = element;
    return () => void (current && seen?.ignore(current));
  }, [seen]);
  return element;
}

/** @param {MessageProps} props */
function Content({ message, isEditing, isGoing, isOpen, people, verbs }) {
  if (message.deletedAt || isGoing) return html`<p class="tombstone"><${Icon} name="trash" /> This message was deleted.</p>`;
  if (isEditing) return html`<${Editing} message=${message} onDone=${() => verbs.edit(null)} />`;
  const folds = isLong(message.content);
  return html`
    <div class="message-words ${folds && !isOpen ? "folded" : ""}">
      ${message.content && html`<${RichText} content=${message.content} person=${people.person} />`}
    </div>
    ${folds && html`<button type="button" class="unfold" aria-expanded=${String(isOpen)} onClick=${() => verbs.unfold(message.id)}>${isOpen ? "Show less" : "Show all"}</button>`}
    ${message.isEdited &&
    html`<button type="button" class="edited" title=${message.editedAt ? `Edited ${full(message.editedAt)}` : ""} onClick=${() => verbs.revisions(message)}>edited</button>`}
  `;
}

/** @param {{at: string}} props */
const When = ({ at }) => html`<time class="message-time" datetime=${at} title=${full(at)}>${clock(at)}</time>`;

/** @param {{message: import("../realtime/types.js").Message, verbs: import("./conversation.js").ConversationVerbs}} props */
const ReplyCount = ({ message, verbs }) => html`
  <button type="button" class="reply-count" onClick=${() => verbs.thread?.(message)}>
    <${Icon} name="reply" /> ${message.replyCount} ${message.replyCount === 1 ? "reply" : "replies"}
  </button>
`;

/** @param {{entry: import("../realtime/outbox.js").Entry, verbs: import("./conversation.js").ConversationVerbs}} props */
function EntryState({ entry, verbs }) {
  if (entry.state !== "failed") return entry.problem ? html`<p class="entry-state">${entry.problem} It will be sent again.</p>` : null;
  return html`
    <p class="entry-state bad">
      Not sent: ${entry.problem}
      <button type="button" class="button plain" onClick=${() => verbs.retry(entry)}>Try again</button>
      <button type="button" class="button plain" onClick=${() => verbs.takeBack(entry)}>Take back</button>
    </p>
  `;
}
