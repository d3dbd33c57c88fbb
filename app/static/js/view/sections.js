// The list in the order of what one looks for: pinned, unread, people, groups, rooms; within each the latest first.

/** @typedef {import("../realtime/types.js").Conversation} Conversation */

/**
 * @param {Conversation[]} conversations  most recent activity first
 * @returns {{label: string, items: Conversation[]}[]} those that hold something
 */
export function sections(conversations) {
  /** @type {Record<string, Conversation[]>} */
  const found = { Pinned: [], Unread: [], Direct: [], Groups: [], Rooms: [], Support: [], Archived: [] };
  for (const conversation of conversations) found[sectionOf(conversation)].push(conversation);
  return Object.entries(found)
    .filter(([, items]) => items.length)
    .map(([label, items]) => ({ label, items }));
}

/** @param {Conversation} conversation */
function sectionOf({ kind, pinned, archived, muted, unreadCount }) {
  if (archived) return "Archived";
  if (pinned) return "Pinned";
  if (unreadCount && !muted) return "Unread";
  return HOMES[kind];
}

const HOMES = { direct: "Direct", group: "Groups", room: "Rooms", support: "Support" };
