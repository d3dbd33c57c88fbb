import { useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { Dialog } from "./dialog.js";
import { html, usePage } from "./html.js";

/** @param {{message: import("../realtime/types.js").Message, onDone: () => void}} props */
export function ConfirmDelete({ message, onDone }) {
  const { session } = usePage();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const remove = async () => {
    setBusy(true);
    try {
      await session.remove(message.id);
      onDone();
    } catch (error) {
      setProblem(asFailure(error).message);
      setBusy(false);
    }
  };
  return html`
    <${Dialog} title="Delete this message?" onClose=${onDone}>
      <blockquote class="cited">${message.content}</blockquote>
      <p class="hint">Everyone here will see that a message was deleted, not what it said.</p>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <footer class="dialog-foot">
        <button type="button" class="button plain" onClick=${onDone}>Keep it</button>
        <button type="button" class="button danger" disabled=${busy} onClick=${remove}>Delete</button>
      </footer>
    <//>
  `;
}
