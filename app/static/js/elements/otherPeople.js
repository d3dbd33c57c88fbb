import { useEffect } from "preact/hooks";
import { PersonAvatar } from "./avatar.js";
import { html, useModel, usePage } from "./html.js";
import { talkWith, useFoundPeople } from "./useFoundPeople.js";
import { useHeldStill } from "./useHeldStill.js";

const MOST = 8;
const MOST_ASKED = 30;

/** People whom one has not talked with alone yet. @param {{sought: string}} props */
export function OtherPeople({ sought }) {
  const { session, router, act } = usePage();
  const conversations = useModel(session.conversations);
  const { people } = useFoundPeople(sought, MOST_ASKED);
  const known = new Set(conversations.items.flatMap(({ kind, participants }) => (kind === "direct" ? participants.map(({ id }) => id) : [])));
  const shown = people.filter(({ id }) => !known.has(id)).slice(0, MOST);
  const ids = shown.map(({ id }) => id).join(",");
  useEffect(() => {
    const ask = () => ids && session.people.ask(() => session.api.get("/api/presence", { ids })).catch(() => {});
    if (session.connection.online) ask();
    return session.connection.on("ready", ask);
  }, [ids]);
  const [still, press] = useHeldStill(shown);
  if (!still.length) return null;
  return html`
    <section class="sidebar-section" aria-label="People">
      <h2 class="section-label">People</h2>
      <ul class="people" onPointerDown=${press}>
        ${still.map(
          (person) => html`
            <li key=${person.id}>
              <button type="button" class="person" onClick=${() => act(() => talkWith({ session, router }, person.username))}>
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
