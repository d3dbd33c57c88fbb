// What I have read, here and on my other devices, and how much is unread.

/** @typedef {import("./types.js").Message} Message */

const MOST_COUNTED = 100;

export class Reading {
  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.session = session;
    /** Marked unread on purpose: what is in sight does not count until one has left and come back. @type {Set<string>} */
    this.left = new Set();
    /** What the reader has before them. @type {Set<string>} */
    this.entered = new Set();
  }

  /** @param {string} conversationId */
  enter(conversationId) {
    this.entered.add(conversationId);
  }

  /** When one comes back, what is in sight counts as read again. @param {string} conversationId */
  leave(conversationId) {
    this.entered.delete(conversationId);
    this.left.delete(conversationId);
  }

  /** This will make a message and what follows it unread again. @param {Message} message */
  async markUnread({ conversationId, id }) {
    this.left.add(conversationId);
    // What was on screen was read: told later, it would undo this.
    await this.session.reads.settled(conversationId);
    this.setBack(conversationId, await this.session.api.post("/api/messages/mark-unread", { conversationId, messageId: id }));
  }

  /** Set back on purpose, here or on another device of mine. @param {string} id @param {{readSeq: number, unreadCount: number, mentionCount?: number}} told */
  setBack(id, { readSeq, unreadCount, mentionCount }) {
    if (this.entered.has(id)) this.left.add(id);
    this.session.reads.reset(id, readSeq);
    this.session.conversations.touch(id);
    this.session.conversations.update(id, { readSeq, unreadCount, ...(mentionCount == null ? {} : { mentionCount }) });
  }

  /** @param {{conversationId: string, unreadCount: number, mentionCount: number, readSeq?: number, isSetBack?: boolean}} told */
  told({ conversationId: id, unreadCount, mentionCount, readSeq, isSetBack }) {
    const { conversations } = this.session;
    const known = conversations.get(id)?.readSeq ?? 0;
    if (isSetBack && readSeq != null) {
      this.setBack(id, { readSeq, unreadCount, mentionCount });
      // It may come later than what was read since: the server knows.
      if (readSeq !== known) this.session.fetchConversation(id).catch(() => {});
    } else conversations.read(id, { unreadCount, mentionCount, ...(readSeq == null ? {} : { readSeq }) });
    this.recount(id);
  }

  /** This will note that a message has been on screen. @param {Message} message */
  seen({ conversationId, seq, id }) {
    if (seq == null || this.left.has(conversationId) || seq <= (this.session.conversations.get(conversationId)?.readSeq ?? 0)) return;
    this.session.reads.mark(conversationId, { seq, messageId: id });
    this.session.conversations.read(conversationId, { readSeq: seq });
    this.recount(conversationId);
  }

  /** @param {string} conversationId @param {import("./marks.js").Mark} mark */
  async report(conversationId, { messageId }) {
    const { resets } = this.session.reads;
    const before = resets.get(conversationId);
    const read = await this.session.request("message:read", { conversationId, messageId });
    if (resets.get(conversationId) !== before) return; // set back meanwhile: that is newer
    this.session.conversations.read(conversationId, read);
    this.recount(conversationId);
  }

  /** @param {string} id @param {number} readSeq */
  elsewhere(id, readSeq) {
    this.session.conversations.read(id, { readSeq });
    if (!this.recount(id) && this.session.conversations.get(id)?.unreadCount) this.session.fetchConversation(id).catch(() => {});
  }

  /** Exact where the page holds every message since the read position; it cannot drift. @param {string} id */
  recount(id) {
    const timeline = this.session.archive.at(id);
    const conversation = this.session.conversations.get(id);
    if (!conversation || !timeline?.loaded || timeline.hasAfter || timeline.fromSeq > conversation.readSeq + 1) return false;
    const unread = timeline.messages.filter(
      ({ seq, senderId, deletedAt }) => (seq ?? 0) > conversation.readSeq && senderId !== this.session.actor?.id && !deletedAt,
    );
    const unreadCount = Math.min(MOST_COUNTED, unread.length);
    if (unreadCount !== conversation.unreadCount) this.session.conversations.update(id, { unreadCount });
    return true;
  }
}
