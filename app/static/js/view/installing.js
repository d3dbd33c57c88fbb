// The page's side of the service worker.

import { keepActor } from "../worker/shell.js";

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
  const registration = await serviceWorker.register(workerUrl(), { type: "module", updateViaCache: "none" });
  if (session.actor) await keepActor({ actorId: session.actor.id, csrfToken });
  serviceWorker.addEventListener("message", ({ data }) => {
    if (data.kind === "go") go(data.path);
    if (data.kind === "outbox") session.emit("leftover");
  });
  const ask = () => {
    const { sync } = /** @type {any} */ (registration);
    if (session.outbox.entries.size) sync?.register("outbox").catch(() => {});
  };
  session.connection.on("state", (state) => state !== "online" && ask());
  session.outbox.on("change", () => session.connection.state !== "online" && ask());
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && ask());
}
