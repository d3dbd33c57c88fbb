// What has to be known or done as soon as the page lives: it may be gone again before it has a quiet moment.

/** Whether this page is signing out. */
export let isLeaving = false;

/** @param {import("../realtime/session.js").Session} session  what it cannot send is sent when the browser has a network again */
export function prepareToLeave(session) {
  addEventListener("submit", ({ target }) => (isLeaving ||= target instanceof HTMLFormElement && target.action.endsWith("/logout")));
  const ask = () => askToBeWoken(session);
  session.connection.on("state", (state) => state !== "online" && ask());
  session.outbox.on("change", () => session.connection.state !== "online" && ask());
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && ask());
}

/** @param {import("../realtime/session.js").Session} session */
export async function askToBeWoken(session) {
  if (!session.outbox.entries.size) return;
  try {
    const registration = /** @type {any} */ (await navigator.serviceWorker?.getRegistration());
    await registration?.sync?.register("outbox");
  } catch {
    // Without a worker that may be woken, the next page sends it.
  }
}
