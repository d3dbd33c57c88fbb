import { hue, initials, others, title } from "../view/names.js";
import { html, useConnected, useModel, usePage } from "./html.js";
import { Icon } from "./icon.js";

const SAID = { online: "online", away: "away", offline: "offline" };

/** @param {{id: string, name: string, url?: string | null, size?: string, status?: "online" | "away" | "offline" | null}} props */
export const Avatar = ({ id, name, url = null, size = "", status = null }) => html`
  <span class="avatar-place ${size}">
    <span class="avatar hue-${hue(id)} ${size}" aria-hidden="true">
      ${url ? html`<img src=${url} alt="" loading="lazy" />` : initials(name)}
    </span>
    ${status && status !== "offline" && html`<span class="dot ${status}" title=${SAID[status]}><span class="unseen">${SAID[status]}</span></span>`}
  </span>
`;

/** @param {{conversation: import("../realtime/types.js").Conversation, actorId: string, size?: string}} props */
export function ConversationAvatar({ conversation, actorId, size = "" }) {
  const { id, kind, visibility } = conversation;
  const [other] = others(conversation, actorId);
  if (kind === "direct" && other) return html`<${PersonAvatar} person=${other} size=${size} />`;
  if (kind !== "room") return html`<${Avatar} id=${id} name=${title(conversation, actorId)} size="square ${size}" />`;
  return html`
    <span class="avatar-place ${size}">
      <span class="avatar square hue-${hue(id)} ${size}" aria-hidden="true">
        <${Icon} name=${visibility === "private" ? "lock" : "hash"} />
      </span>
    </span>
  `;
}

/** With whether they are there, as far as one can know. @param {{person: {id: string, displayName: string, avatarUrl: string | null}, size?: string}} props */
export function PersonAvatar({ person, size = "" }) {
  const status = useModel(usePage().session.people).byId.get(person.id)?.status ?? null;
  const isConnected = useConnected();
  return html`<${Avatar} id=${person.id} name=${person.displayName} url=${person.avatarUrl} size=${size} status=${isConnected ? status : null} />`;
}
