// Which conversation the address names, without loading the page again.

import { Emitter } from "../realtime/emitter.js";

const CHAT = /^\/chat(?:\/([^/]+))?\/?$/;

/** Emits `change`. */
export class Router extends Emitter {
  constructor() {
    super();
    addEventListener("popstate", () => this.emit("change"));
  }

  /** @returns {string | null} */
  get conversationId() {
    return CHAT.exec(location.pathname)?.[1] ?? null;
  }

  /** @param {string | null} conversationId */
  go(conversationId, { replace = false } = {}) {
    if (conversationId === this.conversationId) return;
    history[replace ? "replaceState" : "pushState"](null, "", conversationId ? `/chat/${conversationId}` : "/chat");
    this.emit("change");
  }

  /** Plain clicks on links to conversations; any other click is the browser's. @param {MouseEvent} event */
  follow(event) {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = /** @type {Element} */ (event.target).closest("a");
    if (!link || link.target || link.origin !== location.origin || !CHAT.test(link.pathname)) return;
    event.preventDefault();
    this.go(CHAT.exec(link.pathname)?.[1] ?? null);
  }
}
