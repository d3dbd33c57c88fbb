import { useEffect, useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { Avatar } from "./avatar.js";
import { html, usePage } from "./html.js";
import { IconButton } from "./icon.js";
import { PersonPicker } from "./personPicker.js";

/** @typedef {import("../realtime/types.js").Participant} Participant */

/** Who is here; who may, invites and removes. @param {{conversation: import("../realtime/types.js").Conversation, onClose: () => void}} props */
export function Members({ conversation, onClose }) {
  const { session, actor, router } = usePage();
  const { id, version, role } = conversation;
  const { members, problem, setProblem } = useMembers(id, version);
  const may = role === "owner" || role === "admin";
  const mayInvite = may || conversation.kind === "group";
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
    <aside class="details" aria-label="Members">
      <header class="details-head">
        <h2>Members</h2>
        <${IconButton} icon="close" label="Close" onClick=${onClose} />
      </header>
      <div class="details-scroll">
        ${problem && html`<p class="problem" role="alert">${problem}</p>`}
        ${mayInvite && html`<${PersonPicker} label="Invite" without=${members.map((one) => one.id)} onPick=${invite} />`}
        <ul class="people">
          ${members.map(
            (member) => html`
              <li key=${member.id} class="person">
                <${Avatar} id=${member.id} name=${member.displayName} url=${member.avatarUrl} size="small" />
                <span class="person-name">${member.displayName}${member.id === actor.id ? " (you)" : ""}</span>
                <span class="person-username">${member.role && member.role !== "member" ? member.role : `@${member.username}`}</span>
                ${may && member.id !== actor.id && html`<${IconButton} icon="close" label="Remove ${member.displayName}" onClick=${() => remove(member)} />`}
              </li>
            `,
          )}
        </ul>
        <button type="button" class="button plain danger wide" onClick=${leave}>Leave this ${conversation.kind}</button>
      </div>
    </aside>
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
