import { preview, title, unreadLabel } from "../view/names.js";
import { full, short } from "../view/time.js";
import { ConversationAvatar } from "./avatar.js";
import { html, memo } from "./html.js";

/** One line of the list. */
export const ConversationItem = memo(
  /** @param {{conversation: import("../realtime/types.js").Conversation, actorId: string, current: boolean}} props */
  ({ conversation, actorId, current }) => {
    const { id, unreadCount, muted, lastMessage } = conversation;
    const at = lastMessage?.createdAt;
    return html`
      <li>
        <a
          class="conversation-item ${unreadCount && !muted ? "unread" : ""}"
          href="/chat/${id}"
          aria-current=${current ? "page" : null}
          data-conversation=${id}
        >
          <${ConversationAvatar} conversation=${conversation} actorId=${actorId} />
          <span class="conversation-item-title">${title(conversation, actorId)}</span>
          ${at && html`<time class="conversation-item-time" datetime=${at} title=${full(at)}>${short(at)}</time>`}
          <span class="conversation-item-last">${preview(conversation, actorId)}</span>
          ${unreadCount > 0 &&
          html`<span class="badge ${muted ? "muted" : ""}">${unreadLabel(unreadCount)}<span class="unseen"> unread</span></span>`}
        </a>
      </li>
    `;
  },
);
