// One thread beside its conversation: the root and its replies, kept true by the same events.

import { Emitter } from "./emitter.js";

/** @typedef {import("./types.js").Message} Message */

/** Emits `change`. */
export class Thread extends Emitter {
  /** @param {import("./session.js").Session} session @param {string} conversationId @param {string} rootId */
  constructor(session, conversationId, rootId) {
    super();
    this.session = session;
    this.conversationId = conversationId;
    this.rootId = rootId;
    this.loaded = false;
    /** @type {Map<string, Message>} */
    this.byId = new Map();
    this.stops = [
      session.on("message", (message) => this.belongs(message) && this.take([message])),
      session.connection.on("ready", () => this.load().catch(() => {})),
    ];
  }

  stop() {
    for (const stop of this.stops) stop();
  }

  /** Also after each reconnect: what was missed is in the answer. */
  async load() {
    const { items } = await this.session.api.get(`/api/messages/${this.rootId}/thread`);
    this.loaded = true;
    this.take(items);
  }

  /** Root first, then the replies in order. @returns {Message[]} */
  get messages() {
    return [...this.byId.values()].sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity) || (a.createdAt < b.createdAt ? -1 : 1));
  }

  /** @param {Message} message */
  belongs({ id, threadRootId, replyToId }) {
    return id === this.rootId || threadRootId === this.rootId || replyToId === this.rootId;
  }

  /** The newest state of each wins. @param {Message[]} messages */
  take(messages) {
    for (const message of messages) {
      const known = this.byId.get(message.id);
      if (!known || (message.changedSeq ?? 0) > (known.changedSeq ?? 0)) this.byId.set(message.id, message);
    }
    this.emit("change");
  }
}
