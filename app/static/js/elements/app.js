import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { title, unreadLabel } from "../view/names.js";
import { Banner } from "./banner.js";
import { ConversationPane } from "./conversation.js";
import { Page, html, useModel } from "./html.js";
import { NewConversation } from "./newConversation.js";
import { usePageContext } from "./pageContext.js";
import { QuickSwitcher } from "./quickSwitcher.js";
import { SearchDialog } from "./searchDialog.js";
import { Shortcuts } from "./shortcuts.js";
import { Sidebar } from "./sidebar.js";
import { Undo } from "./undo.js";
import { useShortcuts } from "./useShortcuts.js";

/** @typedef {import("./pageContext.js").PageContext} PageContext */

const DIALOGS = { new: NewConversation, search: SearchDialog, switcher: QuickSwitcher, shortcuts: Shortcuts };

/** @param {{session: PageContext["session"], router: PageContext["router"], actor: PageContext["actor"], csrfToken: string}} props */
export function App({ session, router, actor, csrfToken }) {
  useModel(router);
  const [dialog, show] = useState(/** @type {string | null} */ (null));
  const page = usePageContext({ session, router, actor, csrfToken, show });
  useTitle(session, router.conversationId);
  useShortcuts({ session, router, show });
  useLayoutEffect(() => session.on("removed", (id) => id === router.conversationId && router.go(null, { replace: true })), []);
  const id = router.conversationId;
  const open = dialog && DIALOGS[/** @type {keyof typeof DIALOGS} */ (dialog)];
  return html`
    <${Page.Provider} value=${page}>
      <div class="app" data-view=${id ? "conversation" : "list"} onClick=${(/** @type {MouseEvent} */ event) => router.follow(event)}>
        <${Sidebar} currentId=${id} onNew=${() => show("new")} />
        ${id ? html`<${ConversationPane} key=${id} id=${id} />` : html`<${Nothing} onNew=${() => show("new")} onSwitch=${() => show("switcher")} />`}
        ${open && html`<${open} onClose=${() => show(null)} />`}
        <${Undo} />
      </div>
    <//>
  `;
}

/** @param {{onNew: () => void, onSwitch: () => void}} props */
const Nothing = ({ onNew, onSwitch }) => html`
  <main class="conversation nothing">
    <${Banner} />
    <div class="empty">
      <p>Choose a conversation, or start a new one.</p>
      <button type="button" class="button" onClick=${onNew}>New conversation</button>
      <button type="button" class="button plain" onClick=${onSwitch}>Go to… <kbd>Ctrl K</kbd></button>
    </div>
  </main>
`;

/** @param {PageContext["session"]} session @param {string | null} id */
function useTitle(session, id) {
  const { unreadTotal } = useModel(session.conversations);
  const conversation = id && session.conversations.get(id);
  const name = conversation && session.actor ? `${title(conversation, session.actor.id)} · Parley` : "Parley";
  useEffect(() => {
    document.title = unreadTotal ? `(${unreadLabel(unreadTotal)}) ${name}` : name;
  }, [unreadTotal, name]);
}
