import { html, useModel, usePage } from "./html.js";

/** The way back after deleting, as long as there is one. */
export function Undo() {
  const { pending } = useModel(usePage().deletions);
  const { deletions } = usePage();
  return html`
    <div class="undo-place" role="status">
      ${pending.size > 0 &&
      html`<div
        class="undo"
        onPointerEnter=${() => deletions.hold(true)}
        onPointerLeave=${() => deletions.hold(false)}
        onFocusIn=${() => deletions.hold(true)}
        onFocusOut=${() => deletions.hold(false)}
      >
        <span>${pending.size === 1 ? "Message deleted." : `${pending.size} messages deleted.`}</span>
        <button type="button" class="button plain" onClick=${() => deletions.undo()}>Undo</button>
      </div>`}
    </div>
  `;
}
