import { useReducer, useRef } from "preact/hooks";
import { askedAt, completed, peopleNamed } from "../view/completing.js";
import { allEmoji, findEmoji, usedEmoji } from "../view/emoji.js";
import { Avatar } from "./avatar.js";
import { html } from "./html.js";

const MOST = 6;

/** @typedef {{key: string, insert: string, show: any, emoji?: string}} Offer */
/** @typedef {{asked: import("../view/completing.js").Asked | null, offers: Offer[], at: number}} Offered */

/** @type {Offered} */
const NOTHING = { asked: null, offers: [], at: 0 };

/**
 * Offers people after @ and emoji after a colon, while one types. What is offered always belongs to what stands in the
 * field now, not when it was last drawn: else a fast hand would choose from the offers of one letter ago.
 * @param {object} options
 * @param {import("preact").RefObject<HTMLTextAreaElement>} options.field
 * @param {import("../realtime/types.js").Participant[]} options.people
 * @param {(text: string, caret: number) => void} options.write
 * @param {string} options.name  unique on the page
 */
export function useCompletion({ field, people, write, name }) {
  const now = useRef(NOTHING);
  const emoji = useRef(/** @type {import("../view/emoji.js").Emoji[] | null} */ (null));
  const dismissed = useRef(-1);
  const [, draw] = useReducer((count) => count + 1, 0);
  const become = (/** @type {Offered} */ next) => {
    now.current = next;
    draw(undefined);
  };
  const offersFor = (/** @type {import("../view/completing.js").Asked} */ { kind, sought }) => {
    if (kind === "person") return peopleNamed(people, sought, MOST).map(ofPerson);
    if (emoji.current) return findEmoji(emoji.current, sought, MOST).map(ofEmoji);
    allEmoji().then((all) => ((emoji.current = all), look()), () => {});
    return [];
  };
  const look = () => {
    const { current } = field;
    const found = current && current.selectionStart === current.selectionEnd ? askedAt(current.value, current.selectionStart) : null;
    if (found?.from !== dismissed.current) dismissed.current = -1;
    const asked = found && found.from !== dismissed.current ? found : null;
    const { asked: known, at } = now.current;
    const isSame = asked?.kind === known?.kind && asked?.from === known?.from && asked?.sought === known?.sought;
    become(asked ? { asked, offers: offersFor(asked), at: isSame ? at : 0 } : NOTHING);
  };
  const choose = (/** @type {Offer} */ offer) => {
    const { current } = field;
    const { asked } = now.current;
    if (!current || !asked) return;
    if (offer.emoji) usedEmoji(offer.emoji);
    const { text, caret } = completed(current.value, asked.from, current.selectionStart, offer.insert);
    become(NOTHING);
    write(text, caret);
    current.focus();
  };
  /** @param {KeyboardEvent} event @returns {boolean} whether it was meant for the offers */
  const pressed = (event) => {
    if (!now.current.asked) return false;
    look();
    const { asked, offers, at } = now.current;
    if (!offers.length || !asked) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) become({ asked, offers, at: (at + step + offers.length) % offers.length });
    else if (event.key === "Enter" || event.key === "Tab") choose(offers[Math.min(at, offers.length - 1)]);
    else if (event.key === "Escape") {
      dismissed.current = asked.from;
      become(NOTHING);
    } else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const { asked, offers, at } = now.current;
  const isOpen = !!asked && offers.length > 0;
  const list =
    isOpen &&
    html`<ul class="offers" id="${name}-offers" role="listbox" aria-label=${asked.kind === "person" ? "People" : "Emoji"}>
      ${offers.map(
        (offer, index) => html`
          <li key=${offer.key} id="${name}-offer-${index}" role="option" aria-selected=${String(index === at)} onPointerDown=${(/** @type {Event} */ event) => (event.preventDefault(), choose(offer))}>
            ${offer.show}
          </li>
        `,
      )}
    </ul>`;
  const attributes = isOpen
    ? { "aria-controls": `${name}-offers`, "aria-activedescendant": `${name}-offer-${at}`, "aria-autocomplete": "list" }
    : { "aria-autocomplete": "list" };
  return { list, pressed, look, attributes };
}

/** @param {import("../realtime/types.js").Participant} person @returns {Offer} */
const ofPerson = ({ id, username, displayName, avatarUrl }) => ({
  key: id,
  insert: `@${username}`,
  show: html`<${Avatar} id=${id} name=${displayName} url=${avatarUrl} size="small" /> <b>${displayName}</b> <span>@${username}</span>`,
});

/** @param {import("../view/emoji.js").Emoji} emoji @returns {Offer} */
const ofEmoji = ({ emoji, names }) => ({ key: emoji, insert: emoji, emoji, show: html`<span class="emoji">${emoji}</span> <span>:${names[0]}:</span>` });
