import { useEffect, useState } from "preact/hooks";
import { title } from "../view/names.js";
import { Avatar, ConversationAvatar } from "./avatar.js";
import { Dialog } from "./dialog.js";
import { html, usePage } from "./html.js";

const MOST = 9;

/** @typedef {{key: string, name: string, hint: string, picture: any, go: () => Promise<unknown> | void}} Place */

/** Type a few letters, press Enter, be there. @param {{onClose: () => void}} props */
export function QuickSwitcher({ onClose }) {
  const [sought, seek] = useState("");
  const [at, setAt] = useState(0);
  const places = usePlaces(sought.trim().toLowerCase()).slice(0, MOST);
  const { act } = usePage();
  const choose = (/** @type {Place | undefined} */ place) => {
    if (!place) return;
    onClose();
    act(async () => place.go());
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((at + step + places.length) % Math.max(1, places.length));
    else if (event.key === "Enter") choose(places[at]);
    else return;
    event.preventDefault();
  };
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
        onInput=${(/** @type {any} */ event) => (seek(event.target.value), setAt(0))}
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
      ${!places.length && html`<p class="quiet" role="status">Nothing is called that.</p>`}
    <//>
  `;
}

/** @param {string} sought @returns {Place[]} */
function usePlaces(sought) {
  const { session, actor, router } = usePage();
  const people = usePeople(sought);
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
  return [
    ...conversations,
    ...people
      .filter(({ id, displayName }) => id !== actor.id && !known.has(displayName))
      .map((person) => ({
        key: person.id,
        name: person.displayName,
        hint: `@${person.username}`,
        picture: html`<${Avatar} id=${person.id} name=${person.displayName} url=${person.avatarUrl} size="small" />`,
        go: async () => {
          const { conversation } = await session.api.get(`/api/conversations/with/${person.username}`);
          session.took(conversation);
          router.go(conversation.id);
        },
      })),
  ];
}

/** @param {string} sought */
function usePeople(sought) {
  const { session } = usePage();
  const [people, setPeople] = useState(/** @type {import("../realtime/types.js").Person[]} */ ([]));
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => session.api.get("/api/users", { q: sought, limit: 6 }).then(({ items }) => current && setPeople(items), () => {}), 120);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [sought]);
  return people;
}

/** Every typed word begins a word of the name. @param {string} name @param {string} sought */
function matches(name, sought) {
  const words = name.toLowerCase().split(/[\s_-]+/);
  return sought.split(/\s+/).every((part) => words.some((word) => word.startsWith(part)) || name.toLowerCase().includes(part));
}
