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
    /** How often something was told of each, beside its messages. @type {Map<string, number>} */
    this.turns = new Map();
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

  /** An answer that was asked for in an earlier turn may be older than what was told since. @param {string} id */
  turn(id) {
    return this.turns.get(id) ?? 0;
  }

  /** @param {string} id */
  touch(id) {
    this.turns.set(id, this.turn(id) + 1);
  }

  /** Whether messages are known that were not counted in an answer that speaks of another read position. @param {Conversation | null} told */
  isAhead(told) {
    const known = told && this.byId.get(told.id);
    return !!known && known.headSeq > told.headSeq && known.readSeq !== told.readSeq;
  }

  /**
   * This will take a conversation as the server tells it; what is known to be newer stays.
   * @param {Conversation} told @param {boolean} [isLatest]  nothing else was told since it was asked for
   */
  put(told, isLatest = false) {
    const known = this.byId.get(told.id);
    this.touch(told.id);
    this.byId.set(told.id, known ? merged(known, told, isLatest) : told);
    this.emit("change");
  }

  /** A page of the list; what is known is kept true by other means. @param {Conversation[]} told */
  putAll(told) {
    for (const conversation of told) if (!this.byId.has(conversation.id)) this.byId.set(conversation.id, conversation);
    this.emit("change");
  }

  /** @param {string} id */
  remove(id) {
    this.touch(id);
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
    this.touch(id);
    const readSeq = Math.max(known.readSeq, read.readSeq ?? 0);
    this.update(id, { ...read, readSeq });
  }

  /** @param {Conversation} conversation @param {Message} message */
  unreadAfter(conversation, message) {
    const { seq, changedSeq } = message;
    if (changedSeq == null || changedSeq <= conversation.headSeq) return {};
    const concerns = seq != null && seq > conversation.readSeq && message.senderId !== this.actorId;
    const isNew = seq != null && seq > conversation.headSeq;
    // One that was counted and is deleted counts no more; where there are more than are counted, the server knows.
    const isGone = !isNew && message.deletedAt && conversation.unreadCount < MOST_COUNTED;
    const by = !concerns ? 0 : isNew ? Number(!message.deletedAt) : isGone ? -1 : 0;
    return { headSeq: changedSeq, unreadCount: Math.max(0, Math.min(MOST_COUNTED, conversation.unreadCount + by)) };
  }
}

/** @param {Conversation} conversation */
const activity = (conversation) => conversation.lastMessage?.createdAt ?? conversation.createdAt;

/**
 * The version orders what is everybody's, the head what was said; how far I have read goes back too, so only the latest answer may
 * tell it.
 * @param {Conversation} known @param {Conversation} told @param {boolean} isLatest @returns {Conversation}
 */
function merged(known, told, isLatest) {
  const headSeq = Math.max(known.headSeq, told.headSeq);
  const { lastMessage } = { ...known, ...(told.lastMessage && lastOf(known, told.lastMessage)) };
  const isSame = known.readSeq === told.readSeq;
  const read = isSame ? (known.headSeq > told.headSeq ? known : told) : isLatest ? told : known;
  const { readSeq, unreadCount, mentionCount } = read;
  return { ...(known.version > told.version ? known : told), lastMessage, headSeq, readSeq, unreadCount, mentionCount };
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
