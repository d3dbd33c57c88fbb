import { useEffect, useRef } from "preact/hooks";
import { html, usePage } from "./html.js";

const CHOICES = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀", "✅", "❌", "🔥", "💯", "👏", "🤔", "🚀", "☕"];

/** @param {{message: import("../realtime/types.js").Message, names: (id: string) => string}} props */
export function Reactions({ message, names }) {
  const { actor, act } = usePage();
  if (!message.reactions.length) return null;
  return html`
    <ul class="reactions" aria-label="Reactions">
      ${message.reactions.map(({ emoji, count, reactorIds }) => {
        const mine = reactorIds.includes(actor.id);
        const who = reactorIds.map((id) => (id === actor.id ? "you" : names(id))).join(", ");
        return html`
          <li key=${emoji}>
            <button
              type="button"
              class="reaction"
              aria-pressed=${String(mine)}
              aria-label="${emoji}, ${count}, ${who}"
              title=${who}
              onClick=${() => act((session) => session.react(message.id, emoji, !mine))}
            >
              <span class="emoji">${emoji}</span> ${count}
            </button>
          </li>
        `;
      })}
    </ul>
  `;
}

/** @param {{message: import("../realtime/types.js").Message, onClose: () => void}} props */
export function ReactionPicker({ message, onClose }) {
  const { actor, act } = usePage();
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  useEffect(() => {
    box.current?.querySelector("button")?.focus();
    const leave = (/** @type {Event} */ event) => !box.current?.contains(/** @type {Node} */ (event.target)) && onClose();
    addEventListener("pointerdown", leave);
    return () => removeEventListener("pointerdown", leave);
  }, []);
  const choose = (/** @type {string} */ emoji) => {
    const mine = message.reactions.some((one) => one.emoji === emoji && one.reactorIds.includes(actor.id));
    act((session) => session.react(message.id, emoji, !mine));
    onClose();
  };
  return html`
    <div class="picker" role="menu" aria-label="React" ref=${box} onKeyDown=${(/** @type {KeyboardEvent} */ event) => steer(event, onClose)}>
      ${CHOICES.map((emoji) => html`<button type="button" role="menuitem" class="emoji" aria-label=${emoji} onClick=${() => choose(emoji)}>${emoji}</button>`)}
    </div>
  `;
}

/** @param {KeyboardEvent} event @param {() => void} onClose */
function steer(event, onClose) {
  const box = /** @type {Element} */ (event.currentTarget);
  const buttons = [...box.querySelectorAll("button")];
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 }[event.key];
  if (event.key === "Escape") onClose();
  else if (step) buttons[buttons.indexOf(/** @type {any} */ (document.activeElement)) + step]?.focus();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
