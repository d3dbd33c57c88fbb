import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "./html.js";
import { IconButton } from "./icon.js";

/** The browser's own modal dialog: it holds the focus and gives it back. @param {any} props */
export function Dialog({ title, onClose, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  // Before the next key: what is pressed right after Ctrl+K must not be sent as a message.
  useLayoutEffect(() => {
    const { current } = dialog;
    const before = document.activeElement;
    current?.showModal();
    return () => {
      current?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return html`
    <dialog
      class="dialog"
      aria-label=${title}
      ref=${dialog}
      onCancel=${(/** @type {Event} */ event) => (event.preventDefault(), onClose())}
      onPointerDown=${(/** @type {Event} */ event) => event.target === event.currentTarget && onClose()}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2>${title}</h2>
          <${IconButton} icon="close" label="Close" onClick=${onClose} />
        </header>
        ${children}
      </div>
    </dialog>
  `;
}

/** A labelled field with its own problem under it. @param {any} props */
export const Field = ({ label, hint, problem, name, ...rest }) => html`
  <label class="labelled">
    <span class="label">${label}</span>
    <input class="field" name=${name} aria-invalid=${problem ? "true" : null} aria-describedby=${problem ? `${name}-problem` : null} ...${rest} />
    ${problem ? html`<span class="problem" id="${name}-problem">${problem}</span>` : hint && html`<span class="hint">${hint}</span>`}
  </label>
`;
