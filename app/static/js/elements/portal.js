import { useEffect, useMemo, useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { Deletions } from "../view/deletions.js";
import { Router } from "../view/router.js";
import { ConversationPane } from "./conversation.js";
import { Page, html } from "./html.js";
import { Undo } from "./undo.js";

/** One customer's conversation with staff. @param {{session: import("../realtime/session.js").Session, actor: any, id: string}} props */
export function Portal({ session, actor, id }) {
  const [notice, setNotice] = useState("");
  useEffect(() => session.on("system", ({ message }) => setNotice(message)), []);
  const deletions = useMemo(() => new Deletions((messageId) => session.remove(messageId), (error) => setNotice(asFailure(error).message)), [session]);
  const router = useMemo(() => new Router(), []);
  const page = useMemo(() => {
    const report = (/** @type {unknown} */ error) => setNotice(asFailure(error).message);
    const act = (/** @type {any} */ work) => work(session).catch(report);
    return { session, router, actor, csrfToken: "", deletions, notice, report, act };
  }, [notice]);
  return html`
    <${Page.Provider} value=${page}>
      <div class="app" data-view="conversation"><${ConversationPane} id=${id} /><${Undo} /></div>
    <//>
  `;
}
