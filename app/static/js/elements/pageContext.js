import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { Deletions } from "../view/deletions.js";

/**
 * @typedef {object} PageContext
 * @property {import("../realtime/session.js").Session} session
 * @property {import("../view/router.js").Router} router
 * @property {import("../realtime/types.js").Person} actor
 * @property {string} csrfToken
 * @property {Deletions} deletions
 * @property {(dialog: "new" | "search" | "switcher" | "shortcuts") => void} [show]  where there are dialogs
 * @property {string} notice
 * @property {(error: unknown) => void} report  shows a sentence for a while
 * @property {(work: (session: import("../realtime/session.js").Session) => Promise<unknown>) => Promise<void>} act
 */

const NOTICE_MS = 6_000;

/**
 * What every element of a page may use, and the sentence that the page shows for a while.
 * @param {Pick<PageContext, "session" | "router" | "actor" | "csrfToken" | "show">} given @returns {PageContext}
 */
export function usePageContext({ session, router, actor, csrfToken, show }) {
  const [notice, setNotice] = useNotice();
  useLayoutEffect(() => session.on("system", ({ message }) => setNotice(message)), []);
  const report = (/** @type {unknown} */ error) => setNotice(asFailure(error).message);
  const deletions = useMemo(() => new Deletions((id) => session.remove(id), report, (id) => session.api.delete(`/api/messages/${id}`, { keepalive: true })), [session]);
  return useMemo(() => {
    const act = (/** @type {any} */ work) => work(session).catch(report);
    return { session, router, actor, csrfToken, deletions, notice, report, act, show };
  }, [notice]);
}

/** @returns {[string, (notice: string) => void]} */
function useNotice() {
  // Said again, it stays as long again.
  const [{ said }, setNotice] = useState({ said: "" });
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const say = useMemo(
    () => (/** @type {string} */ words) => {
      clearTimeout(timer.current);
      setNotice({ said: words });
      timer.current = window.setTimeout(() => setNotice({ said: "" }), NOTICE_MS);
    },
    [],
  );
  return [said, say];
}
