import { useEffect, useState } from "preact/hooks";
import { full } from "../view/time.js";
import { asFailure } from "../realtime/failure.js";
import { Dialog } from "./dialog.js";
import { html, usePage } from "./html.js";

/** What a message said before it was edited, the newest first. @param {{message: import("../realtime/types.js").Message, onClose: () => void}} props */
export function Revisions({ message, onClose }) {
  const { session } = usePage();
  const [items, setItems] = useState(/** @type {{content: string, replacedAt: string, position: number}[] | null} */ (null));
  const [problem, setProblem] = useState("");
  useEffect(() => {
    session.api.get(`/api/messages/${message.id}/history`).then((found) => setItems(found.items), (error) => setProblem(asFailure(error).message));
  }, [message.id]);
  const earlier = [...(items ?? [])].sort((a, b) => b.position - a.position);
  return html`
    <${Dialog} title="Edited" onClose=${onClose}>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <ol class="revisions">
        <li><p class="label">Now</p><blockquote class="cited">${message.content}</blockquote></li>
        ${earlier.map(
          (one) => html`<li key=${one.position}><p class="label">Until ${full(one.replacedAt)}</p><blockquote class="cited">${one.content}</blockquote></li>`,
        )}
        ${!items && !problem && html`<li class="quiet" role="status">Looking…</li>`}
      </ol>
    <//>
  `;
}
