import { Emitter } from "../../../app/static/js/realtime/emitter.js";
import { Failure, unanswered } from "../../../app/static/js/realtime/failure.js";
import { ALICE, BOB, conversation, message } from "./messages.js";

/** A conversation as the contract describes it, small enough to be seen right at a glance. */
export class ReferenceServer {
  constructor(ids = ["c1"]) {
    this.rooms = new Map(ids.map((id) => [id, { head: 0, readSeq: 0, messages: new Map() }]));
    this.made = 0;
  }

  rows(id) {
    return [...this.rooms.get(id).messages.values()].map((row) => structuredClone(row));
  }


  send(id, sender, { content = "hello", clientMessageId, replyToId = null } = {}) {
    const room = this.rooms.get(id);
    const first = [...room.messages.values()].find(
      (one) => one.senderId === sender.id && one.clientMessageId === clientMessageId,
    );
    if (first && clientMessageId) return structuredClone(first);
    this.made += 1;
    const seq = (room.head += 1);
    const root = replyToId && (room.messages.get(replyToId).threadRootId ?? replyToId);
    if (root) this.recount(id, root, 1, seq);
    const made = message(seq, {
      id: `${id}-${this.made}`,
      conversationId: id,
      clientMessageId: clientMessageId ?? `auto-${this.made}`,
      content,
      sender,
      senderId: sender.id,
      replyToId,
      threadRootId: root || null,
      rootReplyCount: root ? room.messages.get(root).replyCount : null,
    });
    room.messages.set(made.id, made);
    return structuredClone(made);
  }

  change(id, messageId, changes) {
    const room = this.rooms.get(id);
    const target = room.messages.get(messageId);
    if (target.deletedAt) return null; // the server refuses what comes later: no position, no event
    const goes = changes.deletedAt && !target.deletedAt && target.threadRootId;
    Object.assign(target, changes, { changedSeq: (room.head += 1) });
    if (goes) target.rootReplyCount = this.recount(id, target.threadRootId, -1, room.head);
    return structuredClone(target);
  }

  /** A reply and its root's new count share a position; the reply's event alone carries it. */
  recount(id, rootId, by, position) {
    const root = this.rooms.get(id).messages.get(rootId);
    root.changedSeq = position;
    return (root.replyCount += by);
  }

  history(id, { before = Infinity, after = 0, around, limit = 50 } = {}) {
    const all = this.rows(id);
    const at = around == null ? all.length : Math.max(0, all.findIndex(({ seq }) => seq >= around) - limit / 2);
    const fitting = around == null ? all.filter(({ seq }) => seq > after && seq < before) : all.slice(at);
    const items = after || around != null ? fitting.slice(0, limit) : fitting.slice(-limit);
    const [first, last] = [items[0]?.seq ?? Infinity, items.at(-1)?.seq ?? 0];
    return { items, hasBefore: all.some(({ seq }) => seq < first), hasAfter: all.some(({ seq }) => seq > last), upToSeq: this.rooms.get(id).head };
  }

  sync(id, after, limit = 200) {
    const missed = this.rows(id).filter(({ changedSeq }) => changedSeq > after);
    const messages = missed.sort((a, b) => a.changedSeq - b.changedSeq).slice(0, limit);
    const hasMore = missed.length > messages.length;
    const upToSeq = hasMore ? messages.at(-1).changedSeq : this.rooms.get(id).head;
    return { status: messages.length ? "missed" : "caught_up", conversationId: id, messages, upToSeq, hasMore };
  }

  unread(id) {
    const { readSeq } = this.rooms.get(id);
    return this.rows(id).filter((one) => one.seq > readSeq && one.senderId !== ALICE.id && !one.deletedAt).length;
  }

  conversation(id) {
    const room = this.rooms.get(id);
    const lastMessage = this.rows(id).at(-1) ?? null;
    return conversation(id, { headSeq: room.head, readSeq: room.readSeq, lastMessage, unreadCount: Math.min(100, this.unread(id)) });
  }

  ready() {
    const conversations = [...this.rooms].map(([id, { head, readSeq }]) => ({
      id,
      headSeq: head,
      version: 1,
      receivedSeq: 0,
      readSeq,
    }));
    return { actor: ALICE, serverTime: "", conversations, hasMore: false, headsSeconds: 5 };
  }

  heads() {
    return { heads: Object.fromEntries([...this.rooms].map(([id, { head }]) => [id, { headSeq: head, version: 1 }])) };
  }
}

/** Alice's wire to the reference server: it can be cut, and each answer may come late. */
export class FakeConnection extends Emitter {
  constructor(server, { late = () => Promise.resolve() } = {}) {
    super();
    this.server = server;
    this.late = late;
    this.up = false;
    this.requests = [];
  }

  connect() {
    this.up = true;
    this.emit("state", "online");
    this.emit("ready", this.server.ready());
  }

  cut() {
    this.up = false;
    this.emit("state", "waiting");
  }

  /** What the wire carries reaches the page only while it is up. */
  carry(name, payload) {
    if (this.up) this.emit(name, payload);
  }

  async request(name, payload) {
    if (!this.up) throw unanswered();
    this.requests.push([name, payload]);
    const answer = this.answer(name, structuredClone(payload));
    await this.late();
    if (!this.up) throw unanswered();
    return answer;
  }

  answer(name, payload) {
    if (name === "sync") return this.server.sync(payload.conversationId, payload.after, payload.limit);
    if (name === "message:send") return { message: this.server.send(payload.conversationId, ALICE, payload) };
    if (name === "message:read") return this.read(payload);
    return {};
  }

  read({ conversationId, messageId }) {
    const room = this.server.rooms.get(conversationId);
    room.readSeq = Math.max(room.readSeq, room.messages.get(messageId)?.seq ?? 0);
    return { readSeq: room.readSeq, unreadCount: this.server.unread(conversationId) };
  }

  /** The REST door of the same wire. */
  api() {
    return { get: (path, query) => this.fetch(path, query), post: (path, body) => this.markUnread(path, body) };
  }

  async markUnread(path, { conversationId, messageId }) {
    this.requests.push([path, { conversationId, messageId }]);
    const room = this.server.rooms.get(conversationId);
    room.readSeq = room.messages.get(messageId).seq - 1;
    return { readSeq: room.readSeq, unreadCount: this.server.unread(conversationId) };
  }

  async fetch(path, query = {}) {
    if (!this.up) throw unanswered();
    const [, , , id, what] = path.split("/");
    if (!this.server.rooms.has(id)) throw new Failure({ code: "not_found", message: "Not found." });
    const answer = what === "messages" ? this.server.history(id, query) : { conversation: this.server.conversation(id) };
    await this.late();
    return answer;
  }
}

export { ALICE, BOB };
