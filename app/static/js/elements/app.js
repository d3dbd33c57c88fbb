import { useEffect, useMemo, useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { title, unreadLabel } from "../view/names.js";
import { ConversationPane } from "./conversation.js";
import { Banner } from "./banner.js";
import { Page, html, useModel } from "./html.js";
import { NewConversation } from "./newConversation.js";
import { Sidebar } from "./sidebar.js";

/**
 * @typedef {object} PageContext
 * @property {import("../realtime/session.js").Session} session
 * @property {import("../view/router.js").Router} router
 * @property {import("../realtime/types.js").Person} actor
 * @property {string} csrfToken
 * @property {string} notice
 * @property {(error: unknown) => void} report  shows a sentence for a while
 * @property {(work: (session: import("../realtime/session.js").Session) => Promise<unknown>) => Promise<void>} act
 */

const NOTICE_MS = 6_000;

/** @param {{session: PageContext["session"], router: PageContext["router"], actor: PageContext["actor"], csrfToken: string}} props */
export function App({ session, router, actor, csrfToken }) {
  useModel(router);
  const [isMaking, make] = useState(false);
  const [notice, setNotice] = useNotice();
  useTitle(session, router.conversationId);
  useEffect(() => session.on("system", ({ message }) => setNotice(message)), []);
  useEffect(() => session.on("removed", (id) => id === router.conversationId && router.go(null, { replace: true })), []);
  const page = useMemo(() => {
    const report = (/** @type {unknown} */ error) => setNotice(asFailure(error).message);
    const act = (/** @type {any} */ work) => work(session).catch(report);
    return { session, router, actor, csrfToken, notice, report, act };
  }, [notice]);
  const id = router.conversationId;
  return html`
    <${Page.Provider} value=${page}>
      <div class="app" data-view=${id ? "conversation" : "list"} onClick=${(/** @type {MouseEvent} */ event) => router.follow(event)}>
        <${Sidebar} currentId=${id} onNew=${() => make(true)} />
        ${id ? html`<${ConversationPane} id=${id} />` : html`<${Nothing} onNew=${() => make(true)} />`}
        ${isMaking && html`<${NewConversation} onClose=${() => make(false)} />`}
      </div>
    <//>
  `;
}

/** @param {{onNew: () => void}} props */
const Nothing = ({ onNew }) => html`
  <main class="conversation nothing">
    <${Banner} />
    <div class="empty">
      <p>Choose a conversation, or start a new one.</p>
      <button type="button" class="button" onClick=${onNew}>New conversation</button>
    </div>
  </main>
`;

/** @returns {[string, (notice: string) => void]} */
function useNotice() {
  const [notice, setNotice] = useState("");
  useEffect(() => {
    if (!notice) return;
    const timer = setTimeout(() => setNotice(""), NOTICE_MS);
    return () => clearTimeout(timer);
  }, [notice]);
  return [notice, setNotice];
}

/** @param {PageContext["session"]} session @param {string | null} id */
function useTitle(session, id) {
  const { unreadTotal } = useModel(session.conversations);
  const conversation = id && session.conversations.get(id);
  const name = conversation && session.actor ? `${title(conversation, session.actor.id)} · Parley` : "Parley";
  useEffect(() => {
    document.title = unreadTotal ? `(${unreadLabel(unreadTotal)}) ${name}` : name;
  }, [unreadTotal, name]);
}
