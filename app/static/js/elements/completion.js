import { useEffect, useRef, useState } from "preact/hooks";
import { askedAt, completed, peopleNamed } from "../view/completing.js";
import { allEmoji, findEmoji, usedEmoji } from "../view/emoji.js";
import { Avatar } from "./avatar.js";
import { html } from "./html.js";

const MOST = 6;

/** @typedef {{key: string, insert: string, show: any, emoji?: string}} Offer */

/**
 * Offers people after @ and emoji after a colon, while one types.
 * @param {object} options
 * @param {import("preact").RefObject<HTMLTextAreaElement>} options.field
 * @param {import("../realtime/types.js").Participant[]} options.people
 * @param {(text: string, caret: number) => void} options.write
 * @param {string} options.name  unique on the page
 */
export function useCompletion({ field, people, write, name }) {
  const [asked, setAsked] = useState(/** @type {import("../view/completing.js").Asked | null} */ (null));
  const [offers, setOffers] = useState(/** @type {Offer[]} */ ([]));
  const [at, setAt] = useState(0);
  const dismissed = useRef(-1);
  useEffect(() => {
    let current = true;
    setAt(0);
    if (!asked) setOffers([]);
    else if (asked.kind === "person") setOffers(peopleNamed(people, asked.sought, MOST).map(ofPerson));
    else allEmoji().then((all) => current && setOffers(findEmoji(all, asked.sought, MOST).map(ofEmoji)), () => {});
    return () => void (current = false);
  }, [asked?.kind, asked?.from, asked?.sought, people]);

  const look = () => {
    const { current } = field;
    const found = current && current.selectionStart === current.selectionEnd ? askedAt(current.value, current.selectionStart) : null;
    if (found?.from !== dismissed.current) dismissed.current = -1;
    setAsked(found && found.from !== dismissed.current ? found : null);
  };
  const choose = (/** @type {Offer} */ offer) => {
    const { current } = field;
    if (!current || !asked) return;
    if (offer.emoji) usedEmoji(offer.emoji);
    const { text, caret } = completed(current.value, asked.from, current.selectionStart, offer.insert);
    setAsked(null);
    write(text, caret);
    current.focus();
  };
  /** @param {KeyboardEvent} event @returns {boolean} whether it was meant for the offers */
  const pressed = (event) => {
    if (!offers.length || !asked) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((at + step + offers.length) % offers.length);
    else if (event.key === "Enter" || event.key === "Tab") choose(offers[at]);
    else if (event.key === "Escape") {
      dismissed.current = asked.from;
      setAsked(null);
    } else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
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
