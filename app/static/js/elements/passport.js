import { useEffect, useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { full } from "../view/time.js";
import { Dialog } from "./dialog.js";
import { html, usePage } from "./html.js";
import { Icon } from "./icon.js";

/**
 * @typedef {{key: string, icon: string, what: string, at: string | null}} Step
 * @typedef {import("../realtime/types.js").Message} Message
 */

/** A message's way: kept, committed, read by whom and when. @param {{message: Message, onClose: () => void}} props */
export function Passport({ message, onClose }) {
  const { session } = usePage();
  const [steps, setSteps] = useState(() => begun(message));
  const [problem, setProblem] = useState("");
  const participants = session.conversations.get(message.conversationId)?.participants ?? [];
  const name = (/** @type {string | null} */ id) => participants.find((one) => one.id === id)?.displayName ?? "Someone";
  useEffect(() => {
    session.api.get(`/api/messages/${message.id}/receipts`).then(
      ({ items }) => setSteps([...begun(message), ...items.map((/** @type {import("../realtime/types.js").Receipt} */ one) => readBy(one, name))]),
      (error) => setProblem(asFailure(error).message),
    );
  }, [message.id]);
  return html`
    <${Dialog} title="What happened to this message" onClose=${onClose}>
      <blockquote class="cited">${message.content}</blockquote>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <ol class="passport">
        ${steps.map(
          ({ key, icon, what, at }) => html`
            <li key=${key}>
              <${Icon} name=${icon} />
              <span>${what}</span>
              ${at && html`<time datetime=${at}>${full(at)}</time>`}
            </li>
          `,
        )}
      </ol>
    <//>
  `;
}

/** @param {Message} message @returns {Step[]} */
const begun = ({ createdAt, seq, editedAt }) => [
  { key: "accepted", icon: "clock", what: "Accepted on stable storage", at: createdAt },
  { key: "committed", icon: "check", what: `Committed to the database at #${seq}`, at: null },
  ...(editedAt ? [{ key: "edited", icon: "pencil", what: "Edited", at: editedAt }] : []),
];

/** @param {import("../realtime/types.js").Receipt} receipt @param {(id: string | null) => string} name @returns {Step} */
const readBy = ({ id, readByUserId, readByCustomerId, readAt }, name) => ({
  key: id,
  icon: "checks",
  what: `Read by ${name(readByUserId ?? readByCustomerId)}`,
  at: readAt,
});
