import { ConversationPane } from "./conversation.js";
import { Page, html } from "./html.js";
import { usePageContext } from "./pageContext.js";
import { Undo } from "./undo.js";

/**
 * One customer's conversation with staff.
 * @param {{session: import("../realtime/session.js").Session, router: import("../view/router.js").Router, actor: any, id: string}} props
 */
export function Portal({ session, router, actor, id }) {
  const page = usePageContext({ session, router, actor, csrfToken: "" });
  return html`
    <${Page.Provider} value=${page}>
      <div class="app" data-view="conversation"><${ConversationPane} id=${id} /><${Undo} /></div>
    <//>
  `;
}
