// Which conversation and message the address names, without loading the page again.

import { Emitter } from "../realtime/emitter.js";

const CHAT = /^\/chat(?:\/([^/]+))?(?:\/([^/]+))?\/?$/;

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

  /** @returns {string | null} */
  get messageId() {
    return CHAT.exec(location.pathname)?.[2] ?? null;
  }

  /** @param {string | null} conversationId @param {{replace?: boolean, messageId?: string | null}} [how] */
  go(conversationId, { replace = false, messageId = null } = {}) {
    if (conversationId === this.conversationId && messageId === this.messageId) return;
    const path = ["/chat", conversationId, messageId].filter(Boolean).join("/");
    history[replace ? "replaceState" : "pushState"](null, "", path);
    this.emit("change");
  }

  /** Plain clicks on links to conversations; any other click is the browser's. @param {MouseEvent} event */
  follow(event) {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = /** @type {Element} */ (event.target).closest("a");
    if (!link || link.origin !== location.origin || link.download || !CHAT.test(link.pathname)) return;
    event.preventDefault();
    const [, conversationId = null, messageId = null] = CHAT.exec(link.pathname) ?? [];
    this.go(conversationId, { messageId });
  }
}
