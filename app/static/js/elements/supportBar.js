import { useState } from "preact/hooks";
import { html, usePage } from "./html.js";

const WORDS = { open: "Open", pending: "Pending", resolved: "Resolved" };

/**
 * What staff do with a customer's conversation: whose it is, and where it stands.
 * @param {{conversation: any}} props
 */
export function SupportBar({ conversation }) {
  const { session, actor, act } = usePage();
  const [busy, setBusy] = useState(false);
  const { id, status, assigneeId, customer, participants } = conversation;
  const change = async (/** @type {object} */ changes) => {
    setBusy(true);
    await act(async () => session.took((await session.api.patch(`/api/support/conversations/${id}`, changes)).conversation));
    setBusy(false);
  };
  const press = (/** @type {string} */ words, /** @type {object} */ changes) =>
    html`<button type="button" class="button plain small" disabled=${busy} onClick=${() => change(changes)}>${words}</button>`;
  const isMine = assigneeId === actor.id;
  const colleague = participants.find((/** @type {{id: string}} */ one) => one.id === assigneeId)?.displayName ?? "A colleague";
  return html`
    <section class="support-bar" aria-label="Care">
      <p>
        <span class="pill ${status}">${WORDS[/** @type {keyof typeof WORDS} */ (status)]}</span>
        <strong>${customer?.displayName ?? "A customer"}</strong>
        <span class="quiet">${isMine ? "Yours" : assigneeId ? `${colleague} takes care` : "Nobody’s yet"}</span>
      </p>
      <div class="inline">
        ${isMine ? press("Give back", { assigneeId: null }) : press("Take", { assigneeId: actor.id })}
        ${status === "open" && press("Pending", { status: "pending" })}
        ${status === "resolved" ? press("Reopen", { status: "open" }) : press("Resolve", { status: "resolved" })}
      </div>
    </section>
  `;
}
