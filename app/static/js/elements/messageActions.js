import { html } from "./html.js";
import { IconButton } from "./icon.js";

/**
 * @param {object} props
 * @param {import("../realtime/types.js").Message} props.message
 * @param {boolean} props.mine
 * @param {import("./conversation.js").ConversationVerbs} props.verbs
 * @param {() => void} props.onReact
 */
export const MessageActions = ({ message, mine, verbs, onReact }) => html`
  <div class="message-actions" role="group" aria-label="Message actions">
    <${IconButton} icon="smile" label="React" onClick=${onReact} />
    <${IconButton} icon="reply" label="Reply" onClick=${() => verbs.replyTo(message)} />
    ${mine && html`<${IconButton} icon="pencil" label="Edit" onClick=${() => verbs.edit(message.id)} />`}
    ${mine && html`<${IconButton} icon="trash" label="Delete" onClick=${() => verbs.remove(message)} />`}
  </div>
`;
