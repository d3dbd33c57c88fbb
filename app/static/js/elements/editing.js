import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { html, usePage } from "./html.js";
import { growTo } from "./grow.js";

/** @param {{message: import("../realtime/types.js").Message, onDone: () => void}} props */
export function Editing({ message, onDone }) {
  const { session } = usePage();
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  useLayoutEffect(() => {
    const area = /** @type {HTMLTextAreaElement} */ (field.current);
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
    growTo(area);
  }, []);
  const save = async () => {
    const content = field.current?.value.trim() ?? "";
    if (!content || content === message.content) return onDone();
    setBusy(true);
    try {
      await session.edit(message.id, content);
      onDone();
    } catch (error) {
      setProblem(asFailure(error).sentence("content"));
      setBusy(false);
    }
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") onDone();
    else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      save();
    }
  };
  return html`
    <div class="editing">
      <textarea
        ref=${field}
        class="field"
        rows="1"
        aria-label="Edit message"
        defaultValue=${message.content}
        onInput=${(/** @type {any} */ event) => growTo(event.target)}
        onKeyDown=${pressed}
      ></textarea>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <div class="editing-foot">
        <button type="button" class="button" disabled=${busy} onClick=${save}>Save</button>
        <button type="button" class="button plain" onClick=${onDone}>Cancel</button>
      </div>
    </div>
  `;
}
