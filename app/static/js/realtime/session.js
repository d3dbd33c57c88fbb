// Everything one signed-in page knows, kept true by the connection. The pages read its models and call its verbs.

import { Archive } from "./archive.js";
import { Asking } from "./asking.js";
import { Channels } from "./channels.js";
import { systemClock } from "./clock.js";
import { Conversations } from "./conversations.js";
import { Emitter } from "./emitter.js";
import { Following } from "./following.js";
import { Marks } from "./marks.js";
import { Once } from "./once.js";
import { Outbox } from "./outbox.js";
import { Positions } from "./positions.js";
import { OwnPresence, People } from "./presence.js";
import { Readers } from "./readers.js";
import { Reading } from "./reading.js";
import { Turns } from "./turns.js";
import { OthersTyping, OwnTyping } from "./typing.js";

/**
 * @typedef {import("./types.js").Conversation} Conversation
 * @typedef {import("./types.js").Message} Message
 * @typedef {import("./types.js").HistoryPage} HistoryPage
 * @typedef {import("./types.js").Person} Person
 */

/** Emits `message`, `receipt`, `delivery`, `typing`, `presence`, `system`, `removed`, `error`. */
export class Session extends Emitter {
  /**
   * @param {object} options
   * @param {import("../api.js").Api} options.api
   * @param {import("./connection.js").Connection} options.connection
   * @param {import("./outboxStore.js").OutboxStore} options.outboxStore
   * @param {Person | null} [options.actor]  learnt from `ready` where the page does not know it
   * @param {string} [options.tabId]
   * @param {import("./clock.js").Clock} [options.clock]
   */
  constructor({ api, connection, outboxStore, actor = null, tabId = "", clock = systemClock }) {
    super();
    this.api = api;
    this.connection = connection;
    this.actor = actor;
    const request = connection.request.bind(connection);
    this.request = request;
    this.conversations = new Conversations(actor?.id ?? "");
    this.once = new Once();
    this.turns = new Turns();
    this.asking = new Asking(this);
    this.following = new Following();
    this.archive = new Archive({
      api,
      request,
      once: this.once,
      loaded: (id, page) => this.opened(id, page),
      missed: (message) => this.apply(message),
    });
    this.channels = new Channels(request, clock);
    this.people = new People();
    this.readers = new Readers();
    this.reading = new Reading(this);
    this.typing = new OthersTyping(clock);
    this.positions = new Positions({
      clock,
      apply: (_id, message) => this.apply(message),
      heal: (id, position) => this.heal(id, position),
      moved: (id, seq) => this.received.mark(id, { seq }),
    });
    this.received = new Marks({
      clock,
      report: (conversationId, { seq }) => request("message:received", { conversationId, seq }),
    });
    this.reads = new Marks({ clock, report: (id, mark) => this.reading.report(id, mark) });
    this.outbox = new Outbox({
      clock,
      tabId,
      actorId: actor?.id ?? "",
      store: outboxStore,
      send: async (payload) => {
        const { message } = await request("message:send", payload);
        if (message.persisted) this.archive.at(message.conversationId)?.put(message);
        return message;
      },
    });
    this.ownTyping = new OwnTyping({
      clock,
      tell: (conversationId, isTyping) => void request("typing", { conversationId, isTyping }).catch(() => {}),
    });
    this.ownPresence = new OwnPresence({
      clock,
      tell: (status) => void request("presence", { status }).catch(() => {}),
    });
    this.listen();
  }

  listen() {
    /** @type {Record<string, (payload: any) => void>} */
    const handlers = {
      state: (state) => state === "online" || this.offline(),
      ready: (ready) => this.ready(ready),
      message: (message) => this.told(message),
      "message:changed": (message) => this.told(message),
      "message:withdrawn": (withdrawn) => this.withdrawn(withdrawn),
      heads: ({ heads }) => this.heads(heads),
      conversation: (conversation) => this.conversationTold(conversation),
      unread: (unread) => this.reading.told(unread),
      typing: (event) => this.typing.heard(event),
      presence: (event) => this.people.heard([event, ...(event.more ?? [])]),
      receipt: (receipt) => this.readers.heard([receipt]),
      delivery: (event) =>
        event.status !== "failed" ? this.readers.delivered([event]) : event.recipientId || this.outbox.refuse(event.messageId, event.failedReason ?? "Not delivered."),
    };
    for (const [name, handler] of Object.entries(handlers)) this.connection.on(name, handler);
    for (const name of ["receipt", "delivery", "typing", "presence", "system"]) {
      this.connection.on(name, (payload) => [payload, ...(payload.more ?? [])].forEach((one) => this.emit(name, one)));
    }
  }

  /** This will take what the page was rendered with. @param {{items: Conversation[], nextCursor: string | null}} list */
  prime(list) {
    this.conversations.nextCursor = list.nextCursor;
    this.conversations.putAll(list.items);
    for (const conversation of list.items) this.placed(conversation, false);
  }

  // ── connection ──

  /** @param {import("./types.js").Ready} ready */
  ready(ready) {
    if (!this.actor) this.become(ready.actor);
    for (const told of ready.conversations) this.headTold(told.id, told);
    if (!ready.hasMore) this.dropAllBut(new Set(ready.conversations.map(({ id }) => id)));
    for (const part of [this.channels, this.received, this.reads, this.outbox, this.ownPresence]) part.online();
    this.positions.retryAll();
  }

  offline() {
    for (const part of [this.channels, this.received, this.reads, this.outbox]) part.offline();
    this.typing.clear();
  }

  /** @param {Person} actor */
  become(actor) {
    this.actor = actor;
    this.conversations.actorId = actor.id;
    this.outbox.actorId = actor.id;
  }

  /** @param {Record<string, {headSeq: number, version: number}>} heads */
  heads(heads) {
    for (const [id, told] of Object.entries(heads)) this.headTold(id, told);
  }

  /** @param {string} id @param {{headSeq: number, version: number, receivedSeq?: number, readSeq?: number}} told */
  headTold(id, { headSeq, version, receivedSeq = 0, readSeq }) {
    this.received.known(id, receivedSeq);
    const known = this.conversations.get(id);
    if (known && readSeq != null && readSeq > known.readSeq) this.reading.elsewhere(id, readSeq);
    // Less than I know of, and no mark of mine is on its way: set back on another device while I was away.
    const isSetBack = known && readSeq != null && readSeq < known.readSeq && !this.reads.isBusy(id);
    if (!known || known.version < version || isSetBack || this.asking.unanswered.has(id)) this.fetchConversation(id).catch(() => {});
    // One that is new here begins where it stands: who follows it hears all that comes after, whatever is fetched later.
    if (known || this.positions.at(id) != null) this.positions.heardOfHead(id, headSeq);
    else this.positions.advance(id, headSeq);
  }

  /** @param {Set<string>} mine */
  dropAllBut(mine) {
    for (const { id } of this.conversations.items) if (!mine.has(id)) this.fetchConversation(id).catch(() => {});
  }

  // ── events ──

  /** @param {Message} message */
  told(message) {
    if (message.changedSeq != null) this.positions.offer(message.conversationId, message);
    else this.apply(message);
  }

  /** In order and once; provisional ones as they come. @param {Message} message */
  apply(message) {
    const { conversationId } = message;
    this.archive.at(conversationId)?.put(message);
    this.outbox.noted(message);
    this.conversations.noted(message);
    this.reading.recount(conversationId);
    if (message.seq === message.changedSeq) this.typing.ended(conversationId, message.senderId);
    this.emit("message", message);
  }

  /** @param {{id: string, conversationId: string, reason: string}} withdrawn */
  withdrawn({ id, conversationId, reason }) {
    this.archive.at(conversationId)?.withdraw(id);
    this.outbox.refuse(id, reason);
    if (this.conversations.get(conversationId)?.lastMessage?.id === id) this.fetchConversation(conversationId).catch(() => {});
  }

  /** @param {Conversation & {removed?: boolean}} conversation */
  conversationTold(conversation) {
    if (conversation.removed) this.forget(conversation.id);
    else this.took(conversation);
  }

  // ── catching up ──

  /** @param {string} id @param {number} position @returns {Promise<number>} */
  async heal(id, position) {
    const { archive } = this;
    if (!archive.holds(id) && !this.following.has(id)) return (await this.fetchConversation(id))?.headSeq ?? position;
    const reached = archive.holds(id) ? await archive.sync(id, position) : (await archive.step(id, position)).reached;
    // The count of the unread is the server's, wherever the page does not hold them all.
    this.fetchConversation(id).catch(() => {});
    return reached;
  }

  /** @param {string} id @returns {Promise<Conversation | null>} null where it is not mine any more */
  fetchConversation(id) {
    return this.asking.ask(id);
  }

  /** @param {Conversation} conversation @param {boolean} [isLatest]  nothing else was told of it since it was asked for */
  took(conversation, isLatest = false) {
    const known = this.conversations.get(conversation.id);
    const isDoubtful = !isLatest && known && known.readSeq !== conversation.readSeq && !this.reads.isBusy(conversation.id);
    if (isDoubtful) this.fetchConversation(conversation.id).catch(() => {});
    this.conversations.put(conversation, isLatest);
    this.placed(conversation, isLatest);
    this.reading.recount(conversation.id);
  }

  /** This will set what is mine alone. One after the other: the answer to an earlier wish must not undo a later one. @param {string} id @param {object} settings */
  configure(id, settings) {
    return this.turns.run(`settings ${id}`, async () => this.took((await this.api.put(`/api/conversations/${id}/settings`, settings)).conversation));
  }

  /** @param {Conversation} conversation @param {boolean} isLatest */
  placed({ id, headSeq, receivedSeq, readSeq }, isLatest) {
    this.received.known(id, receivedSeq);
    if (isLatest) this.reads.reset(id, readSeq);
    if (this.archive.holds(id) || (this.following.has(id) && this.positions.at(id) != null)) this.positions.heardOfHead(id, headSeq);
    else this.positions.advance(id, headSeq);
  }

  /** @param {string} id */
  forget(id) {
    this.positions.forget(id);
    this.archive.forget(id);
    this.conversations.remove(id);
    this.emit("removed", id);
  }

  // ── history ──

  /** This will load the newest page, unless it is there. @param {string} conversationId @param {HistoryPage} [page] */
  open(conversationId, page) {
    return this.archive.open(conversationId, page);
  }

  /** This will fetch one message that is spoken of and not loaded. @param {string} conversationId @param {string} messageId */
  async fetchMessage(conversationId, messageId) {
    const timeline = this.archive.timeline(conversationId);
    if (timeline.get(messageId)) return;
    await this.once.run(`message ${messageId}`, async () => {
      timeline.put((await this.api.get(`/api/messages/${messageId}`)).message);
    });
  }

  /** This will load the page before the oldest shown. @param {string} conversationId */
  async older(conversationId) {
    await this.archive.older(conversationId);
    this.reading.recount(conversationId);
  }

  /** This will load the page after the newest shown. @param {string} conversationId */
  async newer(conversationId) {
    await this.archive.newer(conversationId);
    this.reading.recount(conversationId);
  }

  /** @param {string} conversationId @param {HistoryPage} page */
  opened(conversationId, page) {
    for (const message of page.items) this.outbox.noted(message);
    // The page is beyond what the list has heard of, and there will be no gap to heal.
    if (page.upToSeq > (this.conversations.get(conversationId)?.headSeq ?? Infinity)) this.fetchConversation(conversationId).catch(() => {});
    this.positions.restart(conversationId, page.upToSeq);
    this.reading.recount(conversationId);
  }

  /** This will load the next page of the list. */
  moreConversations() {
    const cursor = this.conversations.nextCursor;
    if (!cursor) return Promise.resolve();
    return this.once.run("list", async () => this.prime(await this.api.get("/api/conversations", { cursor })));
  }

  // ── verbs ──

  /** @param {import("./outbox.js").Draft} draft */
  send(draft) {
    this.ownTyping.stop();
    return this.outbox.add(draft);
  }

  /** @param {string} messageId @param {string} content */
  edit(messageId, content) {
    return this.change("message:edit", { messageId, content });
  }

  /** @param {string} messageId */
  remove(messageId) {
    return this.change("message:delete", { messageId });
  }

  /** @param {string} messageId @param {string} emoji @param {boolean} on */
  react(messageId, emoji, on) {
    return this.change(on ? "reaction:add" : "reaction:remove", { messageId, emoji });
  }

  /** @param {string} event @param {object} payload @returns {Promise<Message>} */
  async change(event, payload) {
    const { message } = await this.request(event, payload);
    // Its position is not taken from here: the event that follows keeps the order.
    this.archive.at(message.conversationId)?.put(message);
    return message;
  }
}
