// The list: which conversations are mine, what was said last, what is unread.

import { Emitter } from "./emitter.js";

/** @typedef {import("./types.js").Conversation} Conversation */
/** @typedef {import("./types.js").Message} Message */

const MOST_COUNTED = 100;

/** Emits `change`. */
export class Conversations extends Emitter {
  /** @param {string} actorId */
  constructor(actorId) {
    super();
    this.actorId = actorId;
    /** @type {Map<string, Conversation>} */
    this.byId = new Map();
    /** @type {string | null} */
    this.nextCursor = null;
  }

  /** @param {string} id */
  get(id) {
    return this.byId.get(id);
  }

  /** Most recent activity first. @returns {Conversation[]} */
  get items() {
    return [...this.byId.values()].sort((a, b) => (activity(a) < activity(b) ? 1 : activity(a) > activity(b) ? -1 : 0));
  }

  get unreadTotal() {
    return this.items.reduce((total, { unreadCount, muted }) => total + (muted ? 0 : unreadCount), 0);
  }

  /** This will take a conversation as the server tells it; what is known to be newer stays. @param {Conversation} told */
  put(told) {
    const known = this.byId.get(told.id);
    this.byId.set(told.id, known && known.headSeq > told.headSeq ? merged(known, told) : told);
    this.emit("change");
  }

  /** @param {Conversation[]} told */
  putAll(told) {
    for (const conversation of told) {
      const known = this.byId.get(conversation.id);
      this.byId.set(conversation.id, known && known.headSeq > conversation.headSeq ? merged(known, conversation) : conversation);
    }
    this.emit("change");
  }

  /** @param {string} id */
  remove(id) {
    if (this.byId.delete(id)) this.emit("change");
  }

  /** This will note one message, new, changed or provisional. @param {Message} message */
  noted(message) {
    const conversation = this.byId.get(message.conversationId);
    if (!conversation) return;
    const changes = { ...lastOf(conversation, message), ...this.unreadAfter(conversation, message) };
    if (!Object.keys(changes).length) return;
    this.update(conversation.id, changes);
  }

  /** @param {string} id @param {Partial<Conversation>} changes */
  update(id, changes) {
    const conversation = this.byId.get(id);
    if (!conversation) return;
    this.byId.set(id, { ...conversation, ...changes });
    this.emit("change");
  }

  /** The server's count, after a read mark of mine on any device. @param {string} id @param {Partial<Conversation>} read */
  read(id, read) {
    const known = this.byId.get(id);
    if (!known) return;
    const readSeq = Math.max(known.readSeq, read.readSeq ?? 0);
    this.update(id, { ...read, readSeq });
  }

  /** @param {Conversation} conversation @param {Message} message */
  unreadAfter(conversation, message) {
    const { seq, changedSeq } = message;
    if (changedSeq == null || changedSeq <= conversation.headSeq) return {};
    const isNew = seq != null && seq > conversation.headSeq && seq > conversation.readSeq;
    const counts = isNew && message.senderId !== this.actorId && !message.deletedAt;
    const unreadCount = Math.min(MOST_COUNTED, conversation.unreadCount + (counts ? 1 : 0));
    return { headSeq: changedSeq, unreadCount };
  }
}

/** @param {Conversation} conversation */
const activity = (conversation) => conversation.lastMessage?.createdAt ?? conversation.createdAt;

/** @param {Conversation} known @param {Conversation} told @returns {Conversation} */
function merged(known, told) {
  const { lastMessage, unreadCount, mentionCount, headSeq } = known;
  return { ...told, lastMessage, unreadCount, mentionCount, headSeq, readSeq: Math.max(known.readSeq, told.readSeq) };
}

/** @param {Conversation} conversation @param {Message} message @returns {Partial<Conversation>} */
function lastOf({ lastMessage }, message) {
  if (!lastMessage) return { lastMessage: message };
  if (message.id === lastMessage.id) {
    const newer = message.changedSeq != null && (lastMessage.changedSeq ?? 0) < message.changedSeq;
    return newer ? { lastMessage: message } : {};
  }
  if (message.seq == null) return lastMessage.createdAt <= message.createdAt ? { lastMessage: message } : {};
  return lastMessage.seq == null || message.seq > lastMessage.seq ? { lastMessage: message } : {};
}
