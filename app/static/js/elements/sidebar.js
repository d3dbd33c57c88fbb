import { useEffect, useState } from "preact/hooks";
import { title } from "../view/names.js";
import { sections } from "../view/sections.js";
import { Avatar } from "./avatar.js";
import { ConversationItem } from "./conversationItem.js";
import { html, useModel, usePage } from "./html.js";
import { Icon, IconButton } from "./icon.js";
import { OtherPeople } from "./otherPeople.js";
import { ThemeButton } from "./theme.js";
import { useHeldStill } from "./useHeldStill.js";

/** @param {{currentId: string | null, onNew: () => void}} props */
export function Sidebar({ currentId, onNew }) {
  const { session, actor } = usePage();
  const { items, nextCursor } = useModel(session.conversations);
  // What was typed before this code had come is meant too.
  const [sought, seek] = useState(() => /** @type {HTMLInputElement | null} */ (document.querySelector(".seek input"))?.value ?? "");
  const [isOpen, setOpen] = useState(false);
  const wanted = sought.trim().toLowerCase();
  const shown = wanted ? items.filter((one) => title(one, actor.id).toLowerCase().includes(wanted)) : items;
  const [shownSections, press] = useHeldStill(sections(shown));
  useEffect(() => watchPresence(session), [session]);
  return html`
    <nav class="sidebar" aria-label="Conversations">
      <header class="sidebar-head">
        ${!currentId && html`<h1 class="unseen">Conversations</h1>`}
        <a class="wordmark" href="/chat">Parley</a>
        ${["staff", "admin"].includes(actor.role ?? "") &&
        html`<a class="icon-button" href="/support" aria-label="Support inbox" title="Support inbox"><${Icon} name="inbox" /></a>`}
        <a class="icon-button" href="/people" aria-label="People" title="People"><${Icon} name="users" /></a>
        <a class="icon-button" href="/rooms" aria-label="Browse rooms" title="Browse rooms"><${Icon} name="compass" /></a>
        <${IconButton} icon="plus" label="New conversation" class="solid" onClick=${onNew} />
      </header>
      <label class="seek">
        <${Icon} name="search" />
        <input
          type="search"
          placeholder="Find a conversation"
          aria-label="Find a conversation"
          value=${sought}
          onInput=${(/** @type {any} */ event) => seek(event.target.value)}
        />
      </label>
      <div class="sidebar-scroll" onPointerDown=${press}>
        ${shownSections.map(({ label, items: conversations }) => {
          const isFolded = label === "Archived" && !wanted && !isOpen;
          return html`
            <section class="sidebar-section" key=${label} aria-label=${label}>
              ${label === "Archived"
                ? html`<button type="button" class="section-label" aria-expanded=${String(!isFolded)} onClick=${() => setOpen(!isOpen)}>Archived (${conversations.length})</button>`
                : html`<h2 class="section-label">${label}</h2>`}
              ${!isFolded &&
              html`<ul class="conversation-list">
                ${conversations.map(
                  (conversation) => html`
                    <${ConversationItem} key=${conversation.id} conversation=${conversation} actorId=${actor.id} current=${conversation.id === currentId} />
                  `,
                )}
              </ul>`}
            </section>
          `;
        })}
        ${!shown.length && html`<${NothingHere} sought=${sought} onNew=${onNew} />`}
        ${nextCursor && html`<${More} />`}
        <${OtherPeople} sought=${wanted} />
      </div>
      <footer class="sidebar-foot">
        <${Avatar} id=${actor.id} name=${actor.displayName} url=${actor.avatarUrl} size="small" />
        <a class="me" href="/settings" title="Settings">
          <span class="me-name">${actor.displayName}</span>
          <span class="me-username">@${actor.username}</span>
        </a>
        <${ThemeButton} />
        <${LogOut} />
      </footer>
    </nav>
  `;
}

/** Hears of those one talks with alone, as far as the list is long. @param {import("../realtime/session.js").Session} session */
function watchPresence(session) {
  /** @type {Map<string, import("../realtime/channels.js").Channel>} */
  const held = new Map();
  const hold = () => {
    for (const { id, kind } of session.conversations.items.slice(0, 50)) {
      if (kind === "direct" && !held.has(id)) held.set(id, session.channels.channel(`presence:${id}`).subscribe());
    }
  };
  const ask = () => {
    hold();
    const others = session.conversations.items.flatMap(({ kind, participants }) => (kind === "direct" ? participants.map(({ id }) => id) : []));
    const ids = [...new Set(others)].slice(0, 200).join(",");
    if (ids) session.people.ask(() => session.api.get("/api/presence", { ids })).catch(() => {});
  };
  const stops = [session.connection.on("ready", ask), session.conversations.on("change", hold)];
  if (session.connection.online) ask();
  return () => {
    for (const stop of stops) stop();
    for (const channel of held.values()) channel.unsubscribe();
  };
}

/** @param {{sought: string, onNew: () => void}} props */
const NothingHere = ({ sought, onNew }) =>
  sought
    ? html`<p class="quiet">No conversation is called “${sought.trim()}”.</p>`
    : html`
        <div class="empty small">
          <p>You have no conversations yet.</p>
          <button type="button" class="button" onClick=${onNew}>Start one</button>
          <a class="button plain" href="/rooms">Browse rooms</a>
        </div>
      `;

function More() {
  const { session, report } = usePage();
  const [busy, setBusy] = useState(false);
  const load = async () => {
    setBusy(true);
    await session.moreConversations().catch(report);
    setBusy(false);
  };
  return html`<button type="button" class="button plain wide" disabled=${busy} onClick=${load}>Older conversations</button>`;
}

/** A plain form: leaving must work even where everything else has failed. */
function LogOut() {
  const { csrfToken } = usePage();
  return html`
    <form method="post" action="/logout">
      <input type="hidden" name="csrf_token" value=${csrfToken} />
      <button class="icon-button" aria-label="Log out" title="Log out"><${Icon} name="leave" /></button>
    </form>
  `;
}
