import { useState } from "preact/hooks";
import { title } from "../view/names.js";
import { Avatar } from "./avatar.js";
import { ConversationItem } from "./conversationItem.js";
import { html, useModel, usePage } from "./html.js";
import { Icon, IconButton } from "./icon.js";
import { ThemeButton } from "./theme.js";

/** @param {{currentId: string | null, onNew: () => void}} props */
export function Sidebar({ currentId, onNew }) {
  const { session, actor } = usePage();
  const { items, nextCursor } = useModel(session.conversations);
  const [sought, seek] = useState("");
  const shown = items.filter((one) => !one.archived && title(one, actor.id).toLowerCase().includes(sought.trim().toLowerCase()));
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
      <div class="sidebar-scroll">
        <ul class="conversation-list">
          ${shown.map(
            (conversation) => html`
              <${ConversationItem}
                key=${conversation.id}
                conversation=${conversation}
                actorId=${actor.id}
                current=${conversation.id === currentId}
              />
            `,
          )}
        </ul>
        ${!shown.length && html`<${NothingHere} sought=${sought} onNew=${onNew} />`}
        ${nextCursor && html`<${More} />`}
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
