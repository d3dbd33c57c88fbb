import { useState } from "preact/hooks";
import { html, useModel, usePage } from "./html.js";
import { Icon } from "./icon.js";

/** What waits to be sent and what it waits for; nothing while nothing waits. @param {{conversationId: string}} props */
export function Queue({ conversationId }) {
  const { session } = usePage();
  const all = [...useModel(session.outbox).entries.values()];
  const { state } = useModel(session.connection, "state");
  const [open, setOpen] = useState(false);
  const waiting = all.filter((entry) => entry.state !== "failed");
  const failed = all.length - waiting.length;
  // A message on its usual way is no queue.
  if (!failed && (state === "online" ? waiting.length < 3 && !waiting.some(({ problem }) => problem) : !waiting.length)) return null;
  const elsewhere = all.filter((entry) => entry.conversationId !== conversationId).length;
  return html`
    <section class="queue" aria-label="Waiting to be sent">
      <button type="button" class="queue-head" aria-expanded=${String(open)} onClick=${() => setOpen(!open)}>
        <${Icon} name=${failed && !waiting.length ? "alert" : "clock"} />
        <span>${summary(waiting.length, failed, reason(state, waiting))}</span>
        ${elsewhere > 0 && html`<span class="queue-elsewhere">${elsewhere} in other conversations</span>`}
      </button>
      ${open &&
      html`<ol class="queue-list">
        ${all
          .sort((a, b) => a.place - b.place)
          .map(({ clientMessageId, content, state: how, problem, attachmentIds }) => {
            return html`<li key=${clientMessageId}><span>${content || `${attachmentIds.length} attachments`}</span><em>${problem ?? STATES[how]}</em></li>`;
          })}
      </ol>`}
    </section>
  `;
}

const STATES = { queued: "waits for its turn", sending: "on its way", accepted: "accepted, not yet stored", failed: "not sent" };

/** @param {number} waiting @param {number} failed @param {string} why */
function summary(waiting, failed, why) {
  const parts = [];
  if (waiting) parts.push(`${waiting} ${waiting === 1 ? "message waits" : "messages wait"} ${why}`);
  if (failed) parts.push(`${failed} not sent`);
  return parts.join(" · ");
}

/** @param {string} state @param {import("../realtime/outbox.js").Entry[]} waiting */
function reason(state, waiting) {
  if (state === "refused") return "until you sign in again";
  if (state !== "online") return "for the connection; kept on this device";
  const problem = waiting.find((entry) => entry.problem)?.problem;
  return problem ? `(${problem.replace(/\.$/, "")})` : "to be stored";
}
