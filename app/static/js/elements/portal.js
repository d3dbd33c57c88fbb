import { useEffect, useMemo, useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { ConversationPane } from "./conversation.js";
import { Page, html } from "./html.js";

/** One customer's conversation with staff. @param {{session: import("../realtime/session.js").Session, actor: any, id: string}} props */
export function Portal({ session, actor, id }) {
  const [notice, setNotice] = useState("");
  useEffect(() => session.on("system", ({ message }) => setNotice(message)), []);
  const page = useMemo(() => {
    const report = (/** @type {unknown} */ error) => setNotice(asFailure(error).message);
    const act = (/** @type {any} */ work) => work(session).catch(report);
    return { session, actor, csrfToken: "", notice, report, act };
  }, [notice]);
  return html`
    <${Page.Provider} value=${page}>
      <div class="app" data-view="conversation"><${ConversationPane} id=${id} /></div>
    <//>
  `;
}
