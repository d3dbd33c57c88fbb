// The service worker: the shell opens without a network, and what was sent is sent on when no page is open.

import { answer, forgetPages, install, tidy } from "./shell.js";
import { sendLeft } from "./leftover.js";

/**
 * @param {{release: string, assets: string[]}} shell  what this release consists of
 * @param {any} worker
 */
export function start(shell, worker = globalThis) {
  worker.addEventListener("install", (/** @type {any} */ event) => {
    event.waitUntil(install(shell).then(() => worker.skipWaiting()));
  });
  worker.addEventListener("activate", (/** @type {any} */ event) => {
    event.waitUntil(tidy(shell).then(() => worker.clients.claim()));
  });
  worker.addEventListener("fetch", (/** @type {any} */ event) => {
    const { request } = event;
    const { pathname, origin } = new URL(request.url);
    if (origin !== worker.location.origin) return;
    // Whoever leaves takes what was kept for them along.
    if (request.method === "POST" && pathname === "/logout") event.waitUntil(forgetPages());
    const response = answer(request, pathname, shell);
    if (response) event.respondWith(response);
  });
  worker.addEventListener("sync", (/** @type {any} */ event) => {
    if (event.tag === "outbox") event.waitUntil(sendLeft(worker));
  });
  worker.addEventListener("notificationclick", (/** @type {any} */ event) => {
    event.notification.close();
    event.waitUntil(lead(worker, event.notification.data?.path ?? "/chat"));
  });
}

/** This will show a page at a path: an open one where there is one. @param {any} worker @param {string} path */
async function lead(worker, path) {
  const open = await worker.clients.matchAll({ type: "window" });
  const page = open.find((/** @type {any} */ one) => new URL(one.url).pathname.startsWith("/chat"));
  if (!page) return worker.clients.openWindow(path);
  await page.focus();
  page.postMessage({ kind: "go", path });
}
