import { useEffect, useRef, useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { html } from "./html.js";
import { useFoundPeople } from "./useFoundPeople.js";
import { useHeldStill } from "./useHeldStill.js";

/** @typedef {import("../realtime/types.js").Person} Person */

const MOST = 8;

/**
 * Finds people by name, as one types.
 * @param {{label: string, without?: string[], eager?: boolean, onPick: (person: Person) => void}} props
 *   eager: shows people before anything is typed
 */
export function PersonPicker({ label, without = [], eager = false, onPick }) {
  const [sought, seek] = useState("");
  const { people, problem, isCurrent } = useFoundPeople(sought, MOST);
  const isHurried = useRef(false);
  const shown = eager || sought.trim() ? people.filter(({ id }) => !without.includes(id)) : [];
  const [still, press] = useHeldStill(shown);
  const pick = (/** @type {Person} */ person) => {
    seek("");
    onPick(person);
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    isHurried.current = !!sought.trim();
    pickFirst();
  };
  const pickFirst = () => {
    if (!isHurried.current || !isCurrent) return;
    isHurried.current = false;
    if (shown[0]) pick(shown[0]);
  };
  useEffect(pickFirst, [isCurrent]);
  return html`
    <div class="person-picker">
      <label class="labelled">
        <span class="label">${label}</span>
        <input
          class="field"
          type="search"
          autocomplete="off"
          autocapitalize="none"
          placeholder="Name or username"
          value=${sought}
          onInput=${(/** @type {any} */ event) => ((isHurried.current = false), seek(event.target.value))}
          onKeyDown=${pressed}
        />
      </label>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <ul class="people" aria-label="People found" onPointerDown=${press}>
        ${still.map(
          (person) => html`
            <li key=${person.id}>
              <button type="button" class="person" onClick=${() => pick(person)}>
                <${Avatar} id=${person.id} name=${person.displayName} url=${person.avatarUrl} size="small" />
                <span class="person-name">${person.displayName}</span>
                <span class="person-username">@${person.username}</span>
              </button>
            </li>
          `,
        )}
      </ul>
      ${sought.trim() && isCurrent && !shown.length && !problem && html`<p class="quiet" role="status">Nobody of that name.</p>`}
    </div>
  `;
}
