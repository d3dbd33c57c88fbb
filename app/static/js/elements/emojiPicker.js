import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { GROUPS, allEmoji, findEmoji, recentEmoji, usedEmoji } from "../view/emoji.js";
import { html } from "./html.js";

const IN_A_ROW = 8;

/** @param {{label: string, onPick: (emoji: string) => void, onClose: () => void}} props */
export function EmojiPicker({ label, onPick, onClose }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [all, setAll] = useState(/** @type {import("../view/emoji.js").Emoji[]} */ ([]));
  const [sought, seek] = useState("");
  const [group, setGroup] = useState(-1);
  const [isHigh, setHigh] = useState(false);
  useLayoutEffect(() => {
    const { current } = box;
    setHigh((current?.parentElement?.getBoundingClientRect().top ?? 400) < 380);
    allEmoji().then(setAll, () => {});
    /** @type {HTMLElement | null} */ (current?.querySelector("[role=option]"))?.focus();
    // The button that opened it closes it by its own click: closed before, that would open it again.
    const isOpener = (/** @type {any} */ target) => !!target.closest?.(`[aria-expanded=true][aria-label="${label}"]`);
    const leave = (/** @type {Event} */ event) => !current?.contains(/** @type {Node} */ (event.target)) && !isOpener(event.target) && onClose();
    addEventListener("pointerdown", leave);
    return () => removeEventListener("pointerdown", leave);
  }, []);
  const shown = sought.trim()
    ? findEmoji(all, sought.trim())
    : group < 0
      ? recentEmoji().map((emoji) => ({ emoji, names: [emoji] }))
      : all.filter((one) => one.group === group);
  const pick = (/** @type {string} */ emoji) => {
    usedEmoji(emoji);
    onPick(emoji);
    onClose();
  };
  return html`
    <div class="picker ${isHigh ? "below" : "above"}" role="dialog" aria-label=${label} ref=${box} onKeyDown=${(/** @type {KeyboardEvent} */ event) => steer(event, onClose)}>
      <input
        type="search"
        class="field"
        placeholder="Find an emoji"
        aria-label="Find an emoji"
        value=${sought}
        onInput=${(/** @type {any} */ event) => seek(event.target.value)}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && shown[0] && (event.preventDefault(), pick(shown[0].emoji))}
      />
      <div class="picker-grid" role="listbox" aria-label="Emoji">
        ${shown.map(
          ({ emoji, names }) => html`
            <button type="button" role="option" aria-selected="false" class="emoji" aria-label=${names[0]?.replaceAll("_", " ")} title=${names[0]} data-emoji=${emoji} onClick=${() => pick(emoji)}>
              ${emoji}
            </button>
          `,
        )}
        ${sought.trim() && !shown.length && html`<p class="quiet">No emoji is called that.</p>`}
      </div>
      <div class="picker-groups" role="group" aria-label="Groups">
        ${[{ group: -1, icon: "🕘", label: "Recent" }, ...GROUPS].map(
          (one) => html`
            <button type="button" class="emoji" aria-label=${one.label} title=${one.label} aria-pressed=${String(one.group === group && !sought)} onClick=${() => (seek(""), setGroup(one.group))}>
              ${one.icon}
            </button>
          `,
        )}
      </div>
    </div>
  `;
}

/** @param {KeyboardEvent} event @param {() => void} onClose */
function steer(event, onClose) {
  const box = /** @type {Element} */ (event.currentTarget);
  const options = [...box.querySelectorAll("[role=option]")];
  const at = options.indexOf(/** @type {Element} */ (document.activeElement));
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: IN_A_ROW, ArrowUp: -IN_A_ROW }[event.key];
  const isTyping = document.activeElement?.tagName === "INPUT";
  if (event.key === "Escape") onClose();
  else if (step && !(isTyping && event.key !== "ArrowDown")) {
    /** @type {HTMLElement} */ (isTyping ? options[0] : (options[at + step] ?? (at + step < 0 ? box.querySelector("input") : null)))?.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
