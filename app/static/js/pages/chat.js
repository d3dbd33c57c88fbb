// The chat page: takes what it was rendered with, connects, and keeps itself true.

import { render } from "preact";
import { App } from "../elements/app.js";
import { html } from "../elements/html.js";
import { getRealtimeManager } from "../realtime/messaging.js";
import { prepareToLeave } from "../view/leaving.js";
import { Router } from "../view/router.js";

const state = JSON.parse(/** @type {HTMLElement} */ (document.getElementById("state")).textContent ?? "{}");
const csrfToken = document.querySelector("meta[name='csrf-token']")?.getAttribute("content") ?? "";
const { actor, conversations, current } = state;

const { session } = getRealtimeManager({ actor, csrfToken });
session.prime(conversations);
if (current) {
  session.took(current.conversation);
  session.open(current.conversation.id, current.page);
}

const root = /** @type {HTMLElement} */ (document.getElementById("root"));
const router = new Router();
render(html`<${App} session=${session} router=${router} actor=${actor} csrfToken=${csrfToken} />`, root);

const { connection, ownPresence, outbox } = session;
addEventListener("offline", () => connection.suspect());
addEventListener("online", () => connection.hurry());
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && connection.hurry());
for (const sign of ["pointerdown", "keydown", "focus"]) addEventListener(sign, () => ownPresence.active(), { passive: true });
ownPresence.active();
prepareToLeave(session);
addEventListener("beforeunload", (event) => {
  // What waits is kept on this device, but only this device can send it.
  if (outbox.entries.size && connection.state === "refused") event.preventDefault();
});
document.documentElement.dataset.live = "true";

// What follows is not needed to read and write: it is fetched when the page has nothing better to do.
const idle = /** @type {any} */ (globalThis).requestIdleCallback ?? setTimeout;
idle(async () => {
  const [{ callForAttention }, { install }] = await Promise.all([import("../view/attention.js"), import("../view/installing.js")]);
  callForAttention(session, router);
  const go = (/** @type {string} */ path) => router.go(path.split("/")[2] ?? null);
  // A browser without workers, or one that forbids them, has all but the shell.
  await install(session, csrfToken, go).catch(() => {});
});
