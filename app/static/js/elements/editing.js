import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { draftOf, keepDraft } from "../view/drafts.js";
import { html, usePage } from "./html.js";
import { growTo } from "./grow.js";

/**
 * What is changed is kept as a draft too: the row may go out of sight, or the page.
 * @param {{message: import("../realtime/types.js").Message, onDone: () => void}} props
 */
export function Editing({ message, onDone }) {
  const { session, actor, report } = usePage();
  const place = `edit ${message.id}`;
  const keep = (/** @type {string} */ words) => keepDraft(actor.id, place, words === message.content ? "" : words);
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [begun] = useState(() => draftOf(actor.id, place) || message.content);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  useLayoutEffect(() => {
    const area = /** @type {HTMLTextAreaElement} */ (field.current);
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
    growTo(area);
  }, []);
  const done = () => {
    keep("");
    onDone();
  };
  const save = async () => {
    const content = field.current?.value.trim() ?? "";
    if (busy) return;
    if (!content || content === message.content) return done();
    setBusy(true);
    try {
      await session.edit(message.id, content);
      keep("");
      if (field.current) onDone(); // else another is edited by now
    } catch (error) {
      if (!field.current) return report(error);
      setProblem(asFailure(error).sentence("content"));
      setBusy(false);
    }
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") done();
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
        readonly=${busy}
        defaultValue=${begun}
        onInput=${(/** @type {any} */ event) => (keep(event.target.value), growTo(event.target))}
        onKeyDown=${pressed}
      ></textarea>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <div class="editing-foot">
        <button type="button" class="button" disabled=${busy} onClick=${save}>Save</button>
        <button type="button" class="button plain" onClick=${done}>Cancel</button>
      </div>
    </div>
  `;
}
