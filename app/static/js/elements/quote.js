import { useEffect } from "preact/hooks";
import { gist } from "../view/markdown.js";
import { html, usePage } from "./html.js";
import { Icon } from "./icon.js";

/**
 * What a reply answers, in one line.
 * @param {object} props
 * @param {import("../realtime/types.js").Message} props.message
 * @param {import("../realtime/types.js").Message | undefined} props.quoted  fetched where it is not loaded
 * @param {import("./conversation.js").ConversationVerbs} props.verbs
 */
export function Quote({ message, quoted, verbs }) {
  const { session } = usePage();
  const { conversationId, replyToId } = message;
  useEffect(() => {
    if (!quoted && replyToId) session.fetchMessage(conversationId, replyToId).catch(() => {});
  }, [quoted, replyToId]);
  return html`
    <button type="button" class="quote" onClick=${() => replyToId && verbs.show(replyToId)}>
      <${Icon} name="reply" />
      ${quoted
        ? html`<b>${quoted.sender.displayName}</b> <span>${quoted.deletedAt ? "This message was deleted." : gist(quoted.content) || "Attachment"}</span>`
        : html`<span>An earlier message</span>`}
    </button>
  `;
}
