import { html } from "./html.js";
import { Icon } from "./icon.js";

/** How far a message of mine has come. @type {Record<string, {icon: string, label: string}>} */
const STATES = {
  queued: { icon: "clock", label: "Waiting" },
  sending: { icon: "clock", label: "Sending" },
  accepted: { icon: "clock", label: "Accepted, not yet stored" },
  persisted: { icon: "check", label: "Stored" },
  delivered: { icon: "checks", label: "Delivered" },
  read: { icon: "checks", label: "Read" },
  failed: { icon: "alert", label: "Not sent" },
};

/** @typedef {string} TickState  a state, and after a bar who: one word, so that rows are compared cheaply */

/**
 * @param {import("../realtime/types.js").Message} message
 * @param {import("../realtime/outbox.js").Entry | null} entry
 * @param {import("../realtime/readers.js").Readers} readers
 * @param {(id: string) => string} name @param {boolean} isDirect
 * @returns {TickState | null}
 */
export function tickOf(message, entry, readers, name, isDirect) {
  if (message.deletedAt) return null;
  if (entry) return entry.state;
  if (!message.persisted || message.seq == null) return "accepted";
  const { read, received } = readers.of(message.conversationId, message.seq, message.senderId);
  if (read.length) return isDirect ? "read" : `read|${named(read.map(name))}`;
  return received.length ? (isDirect ? "delivered" : `delivered|${named(received.map(name))}`) : "persisted";
}

/** @param {string[]} names */
const named = (names) => (names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", "));

/** @param {{tick: TickState, onClick?: () => void}} props  pressed, it tells the message's whole way */
export function Tick({ tick, onClick }) {
  const [state, who] = tick.split("|");
  const { icon, label } = STATES[state];
  const said = who ? `${label}${state === "read" ? " by " : " to "}${who}` : label;
  if (!onClick) return html`<span class="tick ${state}" role="img" aria-label=${said} title=${said}><${Icon} name=${icon} /></span>`;
  return html`<button type="button" class="tick ${state}" aria-label=${said} title=${said} onClick=${onClick}><${Icon} name=${icon} /></button>`;
}
