import { useEffect, useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { full } from "../view/time.js";
import { Dialog } from "./dialog.js";
import { html, usePage } from "./html.js";
import { Icon } from "./icon.js";

/**
 * @typedef {object} Step
 * @property {"accepted" | "committed" | "delivered" | "read" | "failed"} event
 * @property {string | null} at
 * @property {number | null} seq
 * @property {string | null} path
 * @property {{id: string, kind: string, displayName: string} | null} person
 * @property {string | null} reason
 */

/** A message's whole way: taken, committed, who got and read it and when, and why not. @param {{message: import("../realtime/types.js").Message, onClose: () => void}} props */
export function Passport({ message, onClose }) {
  const { session } = usePage();
  const [passport, setPassport] = useState(/** @type {{timeline: Step[], hasMore: boolean} | null} */ (null));
  const [problem, setProblem] = useState("");
  const load = () => {
    setProblem("");
    session.api.get(`/api/messages/${message.id}/passport`).then((found) => setPassport(found.passport), (error) => setProblem(asFailure(error).message));
  };
  useEffect(load, [message.id]);
  return html`
    <${Dialog} title="What happened to this message" onClose=${onClose}>
      <blockquote class="cited">${message.content || "Attachment"}</blockquote>
      ${problem && html`<p class="problem" role="alert">${problem} <button type="button" class="button plain" onClick=${load}>Try again</button></p>`}
      ${!passport && !problem && html`<p class="quiet" role="status">Looking…</p>`}
      <ol class="passport">
        ${passport?.timeline.map(
          (step, index) => html`
            <li key=${index} class=${step.event === "failed" ? "bad" : ""}>
              <${Icon} name=${ICONS[step.event]} />
              <span>${said(step)}</span>
              <time datetime=${step.at}>${step.at ? full(step.at) : "Its time is not known any more"}</time>
            </li>
          `,
        )}
      </ol>
      ${passport?.hasMore && html`<p class="quiet">And more people than are shown here.</p>`}
    <//>
  `;
}

const ICONS = { accepted: "clock", committed: "check", delivered: "checks", read: "eye", failed: "alert" };
const WAYS = { mail: "by mail", push: "by push", account: "their account is gone" };

/** @param {Step} step */
function said({ event, seq, path, person, reason }) {
  const name = person?.displayName ?? "somebody";
  if (event === "accepted") return path === "through" ? "Accepted, straight into the database" : "Accepted, on stable storage in the message log";
  if (event === "committed") return `Committed to the database at #${seq}`;
  if (event === "delivered") return `Delivered to ${name}`;
  if (event === "read") return `Read by ${name}`;
  const way = WAYS[/** @type {keyof typeof WAYS} */ (path ?? "")] ?? "";
  return `Could not reach ${name}${way ? `, ${way}` : ""}${reason ? `: ${reason}` : ""}`;
}
