import { useEffect, useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { title } from "../view/names.js";
import { Avatar, ConversationAvatar } from "./avatar.js";
import { html, useConnected, useModel, usePage } from "./html.js";
import { IconButton } from "./icon.js";
import { PersonPicker } from "./personPicker.js";

/** @typedef {import("../realtime/types.js").Participant} Participant */

const LEVELS = { all: "Every message", mentions: "Only when I am named", none: "Nothing" };

/** What this conversation is, and who is here; who may, invites and removes. @param {{conversation: import("../realtime/types.js").Conversation, onClose: () => void}} props */
export function Details({ conversation, onClose }) {
  const { session, actor, router } = usePage();
  const { id, kind, version, role } = conversation;
  const { members, problem, setProblem } = useMembers(id, version);
  const may = kind !== "direct" && (role === "owner" || role === "admin");
  const mayInvite = may || kind === "group" || (kind === "room" && conversation.visibility === "public");
  const attempt = async (/** @type {() => Promise<unknown>} */ work) => {
    try {
      await work();
      setProblem("");
      await session.fetchConversation(id);
    } catch (error) {
      setProblem(asFailure(error).sentence("username"));
    }
  };
  const invite = (/** @type {{username: string | null}} */ { username }) => attempt(() => session.api.post(`/api/conversations/${id}/members`, { username }));
  const remove = (/** @type {Participant} */ { id: profileId }) => attempt(() => session.api.delete(`/api/conversations/${id}/members/${profileId}`));
  const level = (/** @type {any} */ event) => attempt(() => session.configure(id, { notifications: event.target.value }));
  const leave = async () => {
    try {
      await session.api.post(`/api/conversations/${id}/leave`);
      session.forget(id);
      router.go(null);
    } catch (error) {
      setProblem(asFailure(error).message);
    }
  };
  return html`
    <aside class="details" aria-label="Details">
      <header class="details-head">
        <h2>Details</h2>
        <${IconButton} icon="close" label="Close" onClick=${onClose} />
      </header>
      <div class="details-scroll">
        <div class="about">
          <${ConversationAvatar} conversation=${conversation} actorId=${actor.id} size="large" />
          <p class="about-name">${title(conversation, actor.id)}</p>
          ${conversation.topic && html`<p class="quiet">${conversation.topic}</p>`}
        </div>
        ${problem && html`<p class="problem" role="alert">${problem}</p>`}
        ${actor.kind !== "customer" &&
        html`<label class="labelled">
          <span class="label">Notify me of</span>
          <select class="field" value=${conversation.notifications ?? "all"} onChange=${level}>
            ${Object.entries(LEVELS).map(([value, label]) => html`<option value=${value} selected=${value === (conversation.notifications ?? "all")}>${label}</option>`)}
          </select>
        </label>`}
        <section class="members" aria-label="Members">
          <h3 class="label">${members.length} ${members.length === 1 ? "member" : "members"}</h3>
          ${mayInvite && html`<${PersonPicker} label="Invite" without=${members.map((one) => one.id)} onPick=${invite} />`}
          <ul class="people">
            ${members.map((member) => html`<${Member} key=${member.id} member=${member} onRemove=${may && member.id !== actor.id ? () => remove(member) : null} />`)}
          </ul>
        </section>
        ${kind !== "direct" && kind !== "support" && html`<button type="button" class="button plain danger wide" onClick=${leave}>Leave this ${kind}</button>`}
      </div>
    </aside>
  `;
}

/** @param {{member: Participant, onRemove: (() => void) | null}} props */
function Member({ member, onRemove }) {
  const { session, actor } = usePage();
  const isConnected = useConnected();
  const status = useModel(session.people).status(member.id);
  return html`
    <li class="person">
      <${Avatar} id=${member.id} name=${member.displayName} url=${member.avatarUrl} size="small" status=${!isConnected ? null : member.id === actor.id ? "online" : status} />
      <span class="person-name">${member.displayName}${member.id === actor.id ? " (you)" : ""}</span>
      <span class="person-username">${member.role && member.role !== "member" ? member.role : `@${member.username}`}</span>
      ${onRemove && html`<${IconButton} icon="close" label="Remove ${member.displayName}" onClick=${onRemove} />`}
    </li>
  `;
}

/** @param {string} id @param {number} version  grows when somebody comes or goes */
function useMembers(id, version) {
  const { session } = usePage();
  const [members, setMembers] = useState(() => session.conversations.get(id)?.participants ?? []);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let current = true;
    session.api.get(`/api/conversations/${id}/members`, { limit: 200 }).then(
      ({ items }) => current && setMembers(items),
      (error) => current && setProblem(error.message),
    );
    return () => void (current = false);
  }, [id, version]);
  return { members, problem, setProblem };
}
