// What things are called and how their picture looks. The server's first page uses the same rules.

/** @typedef {import("../realtime/types.js").Conversation} Conversation */
/** @typedef {import("../realtime/types.js").Message} Message */

export const HUES = 12;

/** @param {string} id */
export function hue(id) {
  let sum = 0;
  for (const character of id) sum = (sum + /** @type {number} */ (character.codePointAt(0))) % HUES;
  return sum;
}

/** @param {string} name */
export function initials(name) {
  const words = name.trim().split(/\s+/);
  const first = [...words[0]][0] ?? "?";
  const last = words.length > 1 ? ([...words[words.length - 1]][0] ?? "") : "";
  return (first + last).toUpperCase();
}

/** @param {Conversation} conversation @param {string} actorId */
export function others({ participants }, actorId) {
  return participants.filter(({ id }) => id !== actorId);
}

/** @param {Conversation} conversation @param {string} actorId */
export function title(conversation, actorId) {
  if (conversation.title) return conversation.title;
  if (conversation.kind === "room" && conversation.slug) return conversation.slug;
  const names = others(conversation, actorId).map(({ displayName }) => displayName);
  if (!names.length) return "Only you";
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}

/** One line under a conversation's name. @param {Conversation} conversation @param {string} actorId */
export function preview({ lastMessage, kind }, actorId) {
  if (!lastMessage) return "No messages yet";
  const text = lastMessage.deletedAt ? "Message deleted" : lastMessage.content || "Attachment";
  if (lastMessage.senderId === actorId) return `You: ${text}`;
  return kind === "direct" ? text : `${lastMessage.sender.displayName}: ${text}`;
}

/** @param {Conversation} conversation */
export function subtitle({ kind, topic, memberCount, participants }) {
  if (kind === "direct") return "Direct conversation";
  const count = memberCount ?? participants.length;
  const members = `${count} ${count === 1 ? "member" : "members"}`;
  return topic ? `${members} · ${topic}` : members;
}

/** @param {number} count */
export const unreadLabel = (count) => (count > 99 ? "99+" : String(count));
