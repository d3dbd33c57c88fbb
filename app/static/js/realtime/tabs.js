// Which pages of this browser are open, so that only one of them sends what is kept in the outbox.

import { uuid } from "./uuid.js";

const PREFIX = "parley-tab-";

/** This will name the page and hold that name until the page is gone, however it goes. */
export function claimTab() {
  const tabId = uuid();
  globalThis.navigator?.locks?.request(PREFIX + tabId, () => new Promise(() => {})).catch(() => {});
  return tabId;
}

/** Without locks nobody is known to be alive: a message sent by two pages is recognised by its id. */
export async function livingTabs() {
  const held = (await globalThis.navigator?.locks?.query())?.held ?? [];
  const names = new Set(held.map(({ name }) => name));
  return (/** @type {string} */ tabId) => names.has(PREFIX + tabId);
}
