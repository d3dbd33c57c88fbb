import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "./html.js";
import { Icon, IconButton } from "./icon.js";

/**
 * @typedef {{icon: string, label: string, act: () => void, tone?: string}} Choice
 */

/**
 * A button that opens a list of choices, steered by arrows, closed by Escape or by a press elsewhere.
 * @param {{label: string, icon?: string, choices: Choice[]}} props
 */
export function Menu({ label, icon = "more", choices }) {
  const [open, setOpen] = useState(false);
  const box = useRef(/** @type {HTMLSpanElement | null} */ (null));
  const [isHigh, setHigh] = useState(false);
  useLayoutEffect(() => {
    if (!open) return;
    const { current } = box;
    /** @type {HTMLElement | null} */ (current?.querySelector("[role=menuitem]"))?.focus();
    const leave = (/** @type {Event} */ event) => !current?.contains(/** @type {Node} */ (event.target)) && setOpen(false);
    addEventListener("pointerdown", leave);
    return () => removeEventListener("pointerdown", leave);
  }, [open]);
  const turn = () => {
    setHigh((box.current?.getBoundingClientRect().top ?? 0) < innerHeight / 2);
    setOpen(!open);
  };
  const close = () => {
    setOpen(false);
    box.current?.querySelector("button")?.focus();
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (!open) return;
    const items = [.../** @type {HTMLElement} */ (event.currentTarget).querySelectorAll("[role=menuitem]")];
    const at = items.indexOf(/** @type {Element} */ (document.activeElement));
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") close();
    else if (step) /** @type {HTMLElement} */ (items[(at + step + items.length) % items.length])?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`
    <span class="menu-place" ref=${box} onKeyDown=${pressed}>
      <${IconButton} icon=${icon} label=${label} aria-haspopup="menu" aria-expanded=${String(open)} onClick=${turn} />
      ${open &&
      html`<span class="menu ${isHigh ? "below" : "above"}" role="menu" aria-label=${label}>
        ${choices.map(
          (choice) => html`
            <button type="button" role="menuitem" class=${choice.tone ?? ""} onClick=${() => (close(), choice.act())}>
              <${Icon} name=${choice.icon} /> ${choice.label}
            </button>
          `,
        )}
      </span>`}
    </span>
  `;
}
