// The messages of one conversation as this client knows them. Old state + event = fresh load.

import { Emitter } from "./emitter.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").HistoryPage} HistoryPage */
/** @typedef {{count: number, asOf: number}} CountedReplies */

/**
 * Keeps every message by id; shows the window of history that is loaded, by `seq`, provisional ones at the end.
 * Messages outside of the window are kept too: a page that was read before their change must not undo it.
 * Emits `change`.
 */
export class Timeline extends Emitter {
  /** @param {string} conversationId */
  constructor(conversationId) {
    super();
    this.conversationId = conversationId;
    /** @type {Map<string, Message>} */
    this.byId = new Map();
    /** @type {Map<string, CountedReplies>} */
    this.replies = new Map();
    this.loaded = false;
    this.hasBefore = false;
    this.hasAfter = false;
    /** Ends of the loaded window, both included. */
    this.fromSeq = Infinity;
    this.toSeq = Infinity;
    /** Grows with every fresh start: a page that was asked for beside another window does not fit any more. */
    this.epoch = 0;
    /** @type {Message[] | null} */
    this.sorted = null;
  }

  /** @param {string} id @returns {Message | undefined} */
  get(id) {
    return this.byId.get(id);
  }

  /** Whether a position lies in the loaded window. @param {number} seq */
  holds(seq) {
    return this.loaded && seq >= this.fromSeq && seq <= this.toSeq;
  }

  /** What is shown, oldest first. @returns {Message[]} */
  get messages() {
    this.sorted ??= [...this.byId.values()].filter((message) => this.shows(message)).sort(inOrder);
    return this.sorted;
  }

  /** The newest committed message shown. */
  get newest() {
    return this.messages.findLast((message) => message.seq != null) ?? null;
  }

  /**
   * This will apply one event, copy or row; an older or equal state of the same message changes nothing.
   * @param {Message} message
   * @param {number} [asOf]  the position that the copy describes, where it is newer than the message itself
   */
  put(message, asOf = 0) {
    if (this.keep(message, asOf)) this.changed();
  }

  /** @param {Message[]} messages @param {number} [asOf] */
  putAll(messages, asOf = 0) {
    let any = false;
    for (const message of messages) any = this.keep(message, asOf) || any;
    if (any) this.changed();
  }

  /** This will drop a provisional message that could not be kept; a final one stays. @param {string} id */
  withdraw(id) {
    if (!this.byId.has(id) || this.byId.get(id)?.persisted) return;
    this.byId.delete(id);
    this.changed();
  }

  /** This will start over from one page, the newest or one around a message. @param {HistoryPage} page */
  load(page) {
    this.loaded = true;
    this.epoch += 1;
    this.hasBefore = page.hasBefore;
    this.hasAfter = page.hasAfter;
    this.fromSeq = page.hasBefore ? firstSeq(page) : 0;
    this.toSeq = page.hasAfter ? lastSeq(page.items) : Infinity;
    for (const message of page.items) this.keep(message, page.upToSeq);
    this.changed();
  }

  /** @param {HistoryPage} page  what comes before the window */
  prepend(page) {
    this.hasBefore = page.hasBefore;
    this.fromSeq = page.hasBefore ? Math.min(this.fromSeq, firstSeq(page)) : 0;
    for (const message of page.items) this.keep(message, page.upToSeq);
    this.changed();
  }

  /** @param {HistoryPage} page  what comes after the window */
  append(page) {
    this.hasAfter = page.hasAfter;
    this.toSeq = page.hasAfter ? Math.max(this.toSeq, lastSeq(page.items)) : Infinity;
    for (const message of page.items) this.keep(message, page.upToSeq);
    this.changed();
  }

  /** The copy of a send of mine, however it came here. @param {string} clientMessageId @param {string} senderId */
  sent(clientMessageId, senderId) {
    return this.messages.findLast(
      (message) => message.clientMessageId === clientMessageId && message.senderId === senderId,
    );
  }

  /** @param {Message} message @param {number} asOf @returns {boolean} whether anything changed */
  keep(message, asOf) {
    let any = false;
    if (message.persisted) any = this.count(message.id, message.replyCount, Math.max(message.changedSeq ?? 0, asOf));
    if (message.threadRootId && message.rootReplyCount != null && message.changedSeq != null) {
      any = this.count(message.threadRootId, message.rootReplyCount, countedAt(message)) || any;
    }
    const known = this.byId.get(message.id);
    if (known && !isNewer(message, known)) return any;
    const replyCount = this.replies.get(message.id)?.count ?? message.replyCount;
    this.byId.set(message.id, { ...message, replyCount });
    return true;
  }

  /**
   * A message's own rows and its replies' events both tell its reply count, the latter also before the message
   * itself is loaded: the newest knowledge stays.
   * @param {string} id @param {number} count @param {number} asOf
   */
  count(id, count, asOf) {
    const known = this.replies.get(id);
    if (known && known.asOf >= asOf) return false;
    this.replies.set(id, { count, asOf });
    const message = this.byId.get(id);
    if (!message || message.replyCount === count) return false;
    this.byId.set(id, { ...message, replyCount: count });
    return true;
  }

  /** @param {Message} message */
  shows(message) {
    if (!this.loaded) return false;
    if (message.seq == null) return !this.hasAfter;
    return this.holds(message.seq);
  }

  changed() {
    this.sorted = null;
    this.emit("change");
  }
}

/** @param {Message} message @param {Message} known */
function isNewer(message, known) {
  if (message.changedSeq == null) return false;
  return known.changedSeq == null || message.changedSeq > known.changedSeq;
}

/** @param {Message} a @param {Message} b */
function inOrder(a, b) {
  if (a.seq != null && b.seq != null) return a.seq - b.seq;
  if (a.seq != null) return -1;
  if (b.seq != null) return 1;
  return a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0;
}

/**
 * A reply carries its root's count as of the moment it came or went; what else happens to it later does not count anew.
 * @param {Message} reply
 */
const countedAt = ({ seq, changedSeq, deletedAt }) => (deletedAt ? (changedSeq ?? 0) : (seq ?? 0));

/** Where all are provisional, the window begins behind what is committed. @param {HistoryPage} page */
const firstSeq = ({ items, upToSeq }) => items.find((message) => message.seq != null)?.seq ?? upToSeq + 1;
/** @param {Message[]} items */
const lastSeq = (items) => items.findLast((message) => message.seq != null)?.seq ?? 0;
