// What is kept of the pages. A release's files are kept by their fingerprint, so that no deploy ever meets old code; a page itself
// is asked of the server first, and the kept one is shown only where the server cannot be reached.

const FILES = "parley-files-";
const PAGES = "parley-pages";
const MOST_PAGES = 8;
const PATIENCE_MS = 6_000;
export const OFFLINE = "/offline";
export const KEPT_ACTOR = "/worker/actor";

/** @typedef {{release: string, assets: string[]}} Shell */

/** @param {Shell} shell */
export async function install({ release, assets }) {
  const files = await caches.open(FILES + release);
  await files.addAll([...assets, OFFLINE]);
}

/** This will throw away what other releases left. @param {Shell} shell */
export async function tidy({ release }) {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(FILES) && name !== FILES + release).map((name) => caches.delete(name)));
}

/** How often all was forgotten: what was asked for before that is not kept any more. */
let forgotten = 0;

/** This will forget everything that was kept for a person. */
export function forgetPages() {
  forgotten += 1;
  return caches.delete(PAGES);
}

/**
 * This will answer a request from here, or leave it to the browser.
 * @param {Request} request @param {string} path @param {Shell} shell
 * @returns {Promise<Response> | undefined}
 */
export function answer(request, path, shell) {
  if (request.method !== "GET") return undefined;
  if (path.startsWith(`/assets/${shell.release}/`)) return fromFiles(request, shell);
  if (request.mode === "navigate" && isChat(path)) return page(request, path, shell);
  return undefined;
}

/** @param {string} path */
const isChat = (path) => path === "/chat" || path.startsWith("/chat/");

/** @param {Request} request @param {Shell} shell */
async function fromFiles(request, { release }) {
  const files = await caches.open(FILES + release);
  const kept = await files.match(request, { ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok) await files.put(request, response.clone());
  return response;
}

/** @param {Request} request @param {string} path @param {Shell} shell */
async function page(request, path, shell) {
  const before = forgotten;
  try {
    const response = await within(fetch(request), PATIENCE_MS);
    if (response.ok && !response.redirected && before === forgotten) await keep(path, response.clone());
    if (response.redirected && new URL(response.url).pathname === "/login") await forgetPages();
    return response;
  } catch (error) {
    return (await kept(path, shell)) ?? Promise.reject(error);
  }
}

/** @param {string} path @param {Response} response */
async function keep(path, response) {
  const pages = await caches.open(PAGES);
  await pages.put(path, response);
  const old = (await pages.keys()).filter(({ url }) => isChat(new URL(url).pathname));
  for (const request of old.slice(0, Math.max(0, old.length - MOST_PAGES))) await pages.delete(request);
}

/** @param {string} path @param {Shell} shell */
async function kept(path, { release }) {
  const pages = await caches.open(PAGES);
  const options = { ignoreVary: true };
  return (await pages.match(path, options)) ?? (await pages.match("/chat", options)) ?? (await (await caches.open(FILES + release)).match(OFFLINE, options));
}

/** @template T @param {Promise<T>} work @param {number} ms @returns {Promise<T>} */
function within(work, ms) {
  return Promise.race([work, new Promise((_, reject) => setTimeout(() => reject(new Error("too slow")), ms))]);
}

/** Who is signed in, for the time without a page. @param {{actorId: string, csrfToken: string}} actor */
export async function keepActor(actor) {
  const pages = await caches.open(PAGES);
  await pages.put(KEPT_ACTOR, new Response(JSON.stringify(actor)));
}

/** @returns {Promise<{actorId: string, csrfToken: string} | null>} */
export async function keptActor() {
  const found = await (await caches.open(PAGES)).match(KEPT_ACTOR);
  return found ? found.json() : null;
}
