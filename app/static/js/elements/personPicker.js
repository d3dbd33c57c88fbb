import { useEffect, useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { html, usePage } from "./html.js";

/** @typedef {import("../realtime/types.js").Person} Person */

const PAUSE_MS = 150;

/**
 * Finds people by name, as one types.
 * @param {{label: string, without?: string[], eager?: boolean, onPick: (person: Person) => void}} props
 *   eager: shows people before anything is typed
 */
export function PersonPicker({ label, without = [], eager = false, onPick }) {
  const [sought, seek] = useState("");
  const { found, problem } = useFound(sought);
  const shown = eager || sought.trim() ? found.filter(({ id }) => !without.includes(id)) : [];
  const pick = (/** @type {Person} */ person) => {
    seek("");
    onPick(person);
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (shown[0]) pick(shown[0]);
  };
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
          onInput=${(/** @type {any} */ event) => seek(event.target.value)}
          onKeyDown=${pressed}
        />
      </label>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <ul class="people" aria-label="People found">
        ${shown.map(
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
      ${sought.trim() && !shown.length && !problem && html`<p class="quiet" role="status">Nobody of that name.</p>`}
    </div>
  `;
}

/** @param {string} sought */
function useFound(sought) {
  const { session, actor } = usePage();
  const [answer, setAnswer] = useState({ found: /** @type {Person[]} */ ([]), problem: "" });
  useEffect(() => {
    let current = true;
    const timer = setTimeout(async () => {
      const next = await session.api.get("/api/users", { q: sought.trim(), limit: 8 }).then(
        ({ items }) => ({ found: items.filter((/** @type {Person} */ { id }) => id !== actor.id), problem: "" }),
        (error) => ({ found: [], problem: error.message }),
      );
      if (current) setAnswer(next);
    }, PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [sought]);
  return answer;
}
