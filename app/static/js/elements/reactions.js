import { html, usePage } from "./html.js";
import { Icon } from "./icon.js";
import { EmojiPicker } from "./emojiPicker.js";

/** @param {{message: import("../realtime/types.js").Message, people: import("../view/people.js").Directory, onMore: () => void}} props */
export function Reactions({ message, people, onMore }) {
  const { actor, act } = usePage();
  if (!message.reactions.length) return null;
  return html`
    <ul class="reactions" aria-label="Reactions">
      ${message.reactions.map(({ emoji, count, reactorIds }) => {
        const mine = reactorIds.includes(actor.id);
        const who = reactorIds.map(people.name).join(", ");
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
      <li><button type="button" class="reaction more" aria-label="Add a reaction" title="Add a reaction" onClick=${onMore}><${Icon} name="smile" /></button></li>
    </ul>
  `;
}

/** @param {{message: import("../realtime/types.js").Message, onClose: () => void}} props */
export function ReactionPicker({ message, onClose }) {
  const { actor, act } = usePage();
  const choose = (/** @type {string} */ emoji) => {
    const mine = message.reactions.some((one) => one.emoji === emoji && one.reactorIds.includes(actor.id));
    act((session) => session.react(message.id, emoji, !mine));
  };
  return html`<${EmojiPicker} label="React" onPick=${choose} onClose=${onClose} />`;
}
