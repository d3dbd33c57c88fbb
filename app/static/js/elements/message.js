import { useEffect, useRef, useState } from "preact/hooks";
import { clock, full } from "../view/time.js";
import { Avatar } from "./avatar.js";
import { Editing } from "./editing.js";
import { html, memo, usePage } from "./html.js";
import { Icon } from "./icon.js";
import { MessageActions } from "./messageActions.js";
import { MessageText } from "./messageText.js";
import { Quote } from "./quote.js";
import { ReactionPicker, Reactions } from "./reactions.js";
import { Tick } from "./tick.js";

/**
 * @typedef {object} MessageProps
 * @property {import("../realtime/types.js").Message} message
 * @property {import("../realtime/outbox.js").Entry | null} entry
 * @property {boolean} isFirst
 * @property {boolean} isEditing
 * @property {import("../realtime/types.js").Message | undefined} quoted
 * @property {(id: string) => string} names
 * @property {import("../view/seen.js").Seen} seen
 * @property {import("./conversation.js").ConversationVerbs} verbs
 */

export const MessageRow = memo(
  /** @param {MessageProps} props */
  (props) => {
    const { message, entry, isFirst } = props;
    const element = useWatched(props);
    const [picking, pick] = useState(false);
    const mine = usePage().actor.id === message.senderId;
    const name = message.sender.displayName;
    return html`
      <article
        class="message ${isFirst ? "first" : ""} ${mine ? "mine" : ""} ${entry?.state === "failed" ? "failed" : ""} ${entry ? "pending" : ""}"
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
              <${When} at=${message.createdAt} />
            </header>`
          : html`<${When} at=${message.createdAt} />`}
        <div class="message-body">
          ${message.replyToId && html`<${Quote} message=${message} quoted=${props.quoted} verbs=${props.verbs} />`}
          <${Content} ...${props} />
          <${Reactions} message=${message} names=${props.names} />
          ${message.replyCount > 0 && html`<${ReplyCount} count=${message.replyCount} />`}
          ${entry && html`<${EntryState} entry=${entry} verbs=${props.verbs} />`}
        </div>
        ${mine && !message.deletedAt && html`<${Tick} state=${entry?.state ?? (message.persisted ? "persisted" : "accepted")} />`}
        ${message.persisted &&
        !message.deletedAt &&
        !props.isEditing &&
        html`<${MessageActions} message=${message} mine=${mine} verbs=${props.verbs} onReact=${() => pick(true)} />`}
        ${picking && html`<${ReactionPicker} message=${message} onClose=${() => pick(false)} />`}
      </article>
    `;
  },
);

/** Tells what is in sight, as long as it is. @param {MessageProps} props */
function useWatched({ message, seen }) {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (element.current && message.seq != null) seen.watch(element.current, message);
  }, [message, seen]);
  useEffect(() => {
    const { current } = element;
    return () => void (current && seen.ignore(current));
  }, [seen]);
  return element;
}

/** @param {MessageProps} props */
function Content({ message, isEditing, verbs }) {
  if (message.deletedAt) return html`<p class="tombstone"><${Icon} name="trash" /> This message was deleted.</p>`;
  if (isEditing) return html`<${Editing} message=${message} onDone=${() => verbs.edit(null)} />`;
  return html`
    <${MessageText} content=${message.content} />
    ${message.isEdited && html`<span class="edited" title=${message.editedAt ? full(message.editedAt) : ""}>edited</span>`}
  `;
}

/** @param {{at: string}} props */
const When = ({ at }) => html`<time class="message-time" datetime=${at} title=${full(at)}>${clock(at)}</time>`;

/** @param {{count: number}} props */
const ReplyCount = ({ count }) => html`
  <p class="reply-count"><${Icon} name="reply" /> ${count} ${count === 1 ? "reply" : "replies"}</p>
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
