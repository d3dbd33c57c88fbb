// The page's side of the service worker.

import { keepActor } from "../worker/shell.js";
import { askToBeWoken, isLeaving } from "./leaving.js";

const WORKER = "/sw.js";

/** The one address that may become a worker; the page's policy allows this rule and no other. */
function workerUrl() {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  return trustedTypes ? trustedTypes.createPolicy("parley-worker", { createScriptURL: () => WORKER }).createScriptURL("") : WORKER;
}

/**
 * This will keep the shell and see to it that what is left in the outbox is sent without a page.
 * @param {import("../realtime/session.js").Session} session @param {string} csrfToken @param {(path: string) => void} go
 */
export async function install(session, csrfToken, go) {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  await serviceWorker.register(workerUrl(), { type: "module", updateViaCache: "none" });
  // Whoever signs out meanwhile must not leave their name behind.
  if (session.actor && !isLeaving) await keepActor({ actorId: session.actor.id, csrfToken });
  serviceWorker.addEventListener("message", ({ data }) => {
    if (data.kind === "go") go(data.path);
    if (data.kind === "outbox") session.emit("leftover");
  });
  session.emit("leftover"); // the worker may have said so before anybody listened
  askToBeWoken(session);
}
