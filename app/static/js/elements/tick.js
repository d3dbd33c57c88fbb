import { html } from "./html.js";
import { Icon } from "./icon.js";

/** How far a message of mine has come. */
const STATES = {
  queued: { icon: "clock", label: "Waiting" },
  sending: { icon: "clock", label: "Sending" },
  accepted: { icon: "clock", label: "Accepted, not yet stored" },
  persisted: { icon: "check", label: "Stored" },
  failed: { icon: "alert", label: "Not sent" },
};

/** @param {{state: keyof typeof STATES}} props */
export const Tick = ({ state }) => html`
  <span class="tick ${state}" role="img" aria-label=${STATES[state].label} title=${STATES[state].label}>
    <${Icon} name=${STATES[state].icon} />
  </span>
`;
