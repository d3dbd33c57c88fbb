import { useLayoutEffect } from "preact/hooks";
import { isField } from "../view/focus.js";
import { sections } from "../view/sections.js";

/**
 * Keys that work everywhere on the page.
 * @param {object} options
 * @param {import("../realtime/session.js").Session} options.session
 * @param {import("../view/router.js").Router} options.router
 * @param {(dialog: string) => void} options.show
 */
export function useShortcuts({ session, router, show }) {
  useLayoutEffect(() => {
    const step = (/** @type {number} */ by, /** @type {boolean} */ onlyUnread) => {
      const all = sections(session.conversations.items.filter(({ archived }) => !archived)).flatMap(({ items }) => items);
      const list = onlyUnread ? all.filter(({ id, unreadCount }) => unreadCount || id === router.conversationId) : all;
      const at = list.findIndex(({ id }) => id === router.conversationId);
      const next = list[(at + by + list.length) % Math.max(1, list.length)];
      if (next) router.go(next.id);
    };
    const pressed = (/** @type {KeyboardEvent} */ event) => {
      if (event.defaultPrevented || event.isComposing) return;
      const { key, altKey, shiftKey } = event;
      const isCommand = event.ctrlKey || event.metaKey;
      if (isCommand && key.toLowerCase() === "k") show("switcher");
      else if (isCommand && shiftKey && key.toLowerCase() === "f") show("search");
      else if (key === "?" && !isCommand && !isField(event.target)) show("shortcuts");
      else if (altKey && !isCommand && (key === "ArrowDown" || key === "ArrowUp")) step(key === "ArrowDown" ? 1 : -1, shiftKey);
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [session, router]);
}
