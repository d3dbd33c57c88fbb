import { useEffect, useState } from "preact/hooks";
import { PersonAvatar } from "./avatar.js";
import { html, useModel, usePage } from "./html.js";

/** @typedef {import("../realtime/types.js").Person} Person */

const MOST = 8;

/** People whom one has not talked with alone yet. @param {{sought: string}} props */
export function OtherPeople({ sought }) {
  const { session, actor, router, act } = usePage();
  const conversations = useModel(session.conversations);
  const [found, setFound] = useState(/** @type {Person[]} */ ([]));
  useEffect(() => {
    const ask = () => session.api.get("/api/users", { q: sought, limit: 30 }).then(({ items }) => setFound(items), () => {});
    const timer = setTimeout(ask, sought ? 150 : 0);
    return () => clearTimeout(timer);
  }, [sought]);
  const known = new Set(conversations.items.flatMap(({ kind, participants }) => (kind === "direct" ? participants.map(({ id }) => id) : [])));
  const shown = found.filter(({ id }) => id !== actor.id && !known.has(id)).slice(0, MOST);
  useEffect(() => {
    const ids = shown.map(({ id }) => id).join(",");
    if (ids) session.api.get("/api/presence", { ids }).then(({ items }) => session.people.heard(items), () => {});
  }, [shown.map(({ id }) => id).join()]);
  if (!shown.length) return null;
  const open = (/** @type {Person} */ { username }) =>
    act(async () => {
      const { conversation } = await session.api.get(`/api/conversations/with/${username}`);
      session.took(conversation);
      router.go(conversation.id);
    });
  return html`
    <section class="sidebar-section" aria-label="People">
      <h2 class="section-label">People</h2>
      <ul class="people">
        ${shown.map(
          (person) => html`
            <li key=${person.id}>
              <button type="button" class="person" onClick=${() => open(person)}>
                <${PersonAvatar} person=${person} size="small" />
                <span class="person-name">${person.displayName}</span>
              </button>
            </li>
          `,
        )}
      </ul>
    </section>
  `;
}
