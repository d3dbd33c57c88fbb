import { hue, initials, others, title } from "../view/names.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";

/** @param {{id: string, name: string, url?: string | null, size?: string}} props */
export const Avatar = ({ id, name, url = null, size = "" }) => html`
  <span class="avatar hue-${hue(id)} ${size}" aria-hidden="true">
    ${url ? html`<img src=${url} alt="" loading="lazy" />` : initials(name)}
  </span>
`;

/** @param {{conversation: import("../realtime/types.js").Conversation, actorId: string, size?: string}} props */
export function ConversationAvatar({ conversation, actorId, size = "" }) {
  const { id, kind, visibility } = conversation;
  if (kind === "room") {
    return html`
      <span class="avatar square hue-${hue(id)} ${size}" aria-hidden="true">
        <${Icon} name=${visibility === "private" ? "lock" : "hash"} />
      </span>
    `;
  }
  const [other] = others(conversation, actorId);
  if (kind === "direct" && other) return html`<${Avatar} id=${other.id} name=${other.displayName} url=${other.avatarUrl} size=${size} />`;
  return html`<${Avatar} id=${id} name=${title(conversation, actorId)} size="square ${size}" />`;
}
