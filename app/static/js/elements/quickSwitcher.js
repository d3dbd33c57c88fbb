import { useEffect, useRef, useState } from "preact/hooks";
import { title } from "../view/names.js";
import { Avatar, ConversationAvatar } from "./avatar.js";
import { Dialog } from "./dialog.js";
import { html, usePage } from "./html.js";
import { talkWith, useFoundPeople } from "./useFoundPeople.js";

const MOST = 9;
const MOST_PEOPLE = 6;

/** @typedef {{key: string, name: string, hint: string, picture: any, go: () => Promise<unknown> | void}} Place */

/** Type a few letters, press Enter, be there. @param {{onClose: () => void}} props */
export function QuickSwitcher({ onClose }) {
  const [sought, seek] = useState("");
  const [chosen, setChosen] = useState(/** @type {string | null} */ (null));
  const { places: all, isCurrent } = usePlaces(sought.trim().toLowerCase());
  const places = all.slice(0, MOST);
  // By its name, not by its place: people who are found later come in between.
  const at = Math.max(0, places.findIndex(({ key }) => key === chosen));
  const isHurried = useRef(false);
  const { act } = usePage();
  const choose = (/** @type {Place | undefined} */ place) => {
    if (!place) return;
    onClose();
    act(async () => place.go());
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setChosen(places[(at + step + places.length) % Math.max(1, places.length)]?.key ?? null);
    else if (event.key === "Enter") enter();
    else return;
    event.preventDefault();
  };
  const enter = () => {
    isHurried.current = !places.length && !isCurrent;
    choose(places[at]);
  };
  useEffect(() => void (isHurried.current && isCurrent && enter()), [isCurrent]);
  return html`
    <${Dialog} title="Go to" onClose=${onClose}>
      <input
        class="field"
        type="text"
        role="combobox"
        placeholder="A conversation or a person"
        aria-label="Go to a conversation or a person"
        aria-expanded="true"
        aria-controls="places"
        aria-activedescendant=${places[at] ? `place-${at}` : null}
        autocomplete="off"
        autofocus
        value=${sought}
        onInput=${(/** @type {any} */ event) => (seek(event.target.value), setChosen(null), (isHurried.current = false))}
        onKeyDown=${pressed}
      />
      <ul class="places" id="places" role="listbox" aria-label="Places">
        ${places.map(
          (place, index) => html`
            <li key=${place.key} id="place-${index}" role="option" aria-selected=${String(index === at)} onClick=${() => choose(place)}>
              ${place.picture}<b>${place.name}</b><span>${place.hint}</span>
            </li>
          `,
        )}
      </ul>
      ${!places.length && isCurrent && html`<p class="quiet" role="status">Nothing is called that.</p>`}
    <//>
  `;
}

/** @param {string} sought @returns {{places: Place[], isCurrent: boolean}} */
function usePlaces(sought) {
  const { session, actor, router } = usePage();
  const { people, isCurrent } = useFoundPeople(sought, MOST_PEOPLE);
  const conversations = session.conversations.items
    .map((conversation) => ({ conversation, name: title(conversation, actor.id) }))
    .filter(({ name }) => matches(name, sought))
    .map(({ conversation, name }) => ({
      key: conversation.id,
      name,
      hint: conversation.unreadCount ? `${conversation.unreadCount} unread` : "",
      picture: html`<${ConversationAvatar} conversation=${conversation} actorId=${actor.id} size="small" />`,
      go: () => router.go(conversation.id),
    }));
  const known = new Set(conversations.map(({ name }) => name));
  // What was found for the letters before is shown on only as far as it fits.
  const fits = (/** @type {import("../realtime/types.js").Person} */ { displayName, username }) => isCurrent || matches(displayName, sought) || !!username?.startsWith(sought);
  const places = [
    ...conversations,
    ...people
      .filter((person) => !known.has(person.displayName) && fits(person))
      .map((person) => ({
        key: person.id,
        name: person.displayName,
        hint: `@${person.username}`,
        picture: html`<${Avatar} id=${person.id} name=${person.displayName} url=${person.avatarUrl} size="small" />`,
        go: () => talkWith({ session, router }, person.username),
      })),
  ];
  return { places, isCurrent };
}

/** Every typed word begins a word of the name. @param {string} name @param {string} sought */
function matches(name, sought) {
  const words = name.toLowerCase().split(/[\s_-]+/);
  return sought.split(/\s+/).every((part) => words.some((word) => word.startsWith(part)) || name.toLowerCase().includes(part));
}
