import { html, usePage } from "./html.js";
import { IconButton } from "./icon.js";
import { Menu } from "./menu.js";

/**
 * @param {object} props
 * @param {import("../realtime/types.js").Message} props.message
 * @param {boolean} props.mine
 * @param {import("./conversation.js").ConversationVerbs} props.verbs
 * @param {() => void} props.onReact
 */
export function MessageActions({ message, mine, verbs, onReact }) {
  const { act } = usePage();
  const copy = (/** @type {string} */ text) => act(() => navigator.clipboard.writeText(text));
  const choices = [
    ...(verbs.thread ? [{ icon: "thread", label: "Open the thread", act: () => verbs.thread?.(message) }] : []),
    { icon: "copy", label: "Copy the text", act: () => copy(message.content) },
    { icon: "link", label: "Copy a link", act: () => copy(`${location.origin}/chat/${message.conversationId}/${message.id}`) },
    ...(mine ? [] : [{ icon: "bell", label: "Mark unread from here", act: () => act((session) => session.reading.markUnread(message)) }]),
    { icon: "route", label: "What happened to it", act: () => verbs.explain(message) },
  ];
  return html`
    <div class="message-actions" role="group" aria-label="Message actions">
      <${IconButton} icon="smile" label="React" onClick=${onReact} />
      <${IconButton} icon="reply" label="Reply" onClick=${() => verbs.replyTo(message)} />
      ${mine && html`<${IconButton} icon="pencil" label="Edit" onClick=${() => verbs.edit(message.id)} />`}
      ${mine && html`<${IconButton} icon="trash" label="Delete" onClick=${() => verbs.remove(message)} />`}
      <${Menu} label="More" choices=${choices} />
    </div>
  `;
}
