// Nothing sent is ever gone: a message stays here until a copy that the database has kept is seen.

import { Backoff } from "./backoff.js";
import { atMost, systemClock } from "./clock.js";
import { Emitter } from "./emitter.js";
import { asFailure } from "./failure.js";
import { uuid } from "./uuid.js";

/**
 * queued: waits for its turn or the connection · sending: in flight · accepted: kept by the server, not yet
 * committed · failed: refused for good, until its author decides.
 * @typedef {object} Entry
 * @property {string} clientMessageId
 * @property {string} actorId
 * @property {string} tabId
 * @property {string} conversationId
 * @property {string} content
 * @property {string | null} replyToId
 * @property {string[]} attachmentIds
 * @property {import("./types.js").Attachment[]} [attachments]  the same, to be shown meanwhile
 * @property {Record<string, any>} metadata
 * @property {string} createdAt
 * @property {number} place  its order among all
 * @property {"queued" | "sending" | "accepted" | "failed"} state
 * @property {string | null} messageId  the server's name for it, once accepted
 * @property {string | null} problem  a sentence: what it waits for or why it failed
 *
 * @typedef {{busy: boolean, wanted: boolean, timer: any, backoff: Backoff}} Lane
 * @typedef {{conversationId: string, content: string, replyToId?: string | null, attachmentIds?: string[], attachments?: import("./types.js").Attachment[], metadata?: Record<string, any>}} Draft
 * @typedef {import("./types.js").Message} Message
 * @typedef {import("./outboxStore.js").OutboxStore} OutboxStore
 */

/** A store that does not answer must not stop the talk. */
const STORE_PATIENCE_MS = 2_000;
/** An accepted message whose commit is not heard of is sent again after this; the server knows it by its id. */
export const UNHEARD_AFTER_MS = 20_000;

/** Emits `change` with the conversation's id. */
export class Outbox extends Emitter {
  /**
   * @param {object} options
   * @param {string} options.actorId
   * @param {OutboxStore} options.store
   * @param {(payload: object) => Promise<Message>} options.send
   * @param {string} [options.tabId]
   * @param {import("./clock.js").Clock} [options.clock]
   * @param {() => number} [options.random]
   */
  constructor({ actorId, store, send, tabId = "", clock = systemClock, random = Math.random }) {
    super();
    this.actorId = actorId;
    this.store = store;
    this.send = send;
    this.tabId = tabId;
    this.clock = clock;
    this.random = random;
    this.connected = false;
    this.restoring = 0; // what was left behind goes first
    this.done = new Set(); // a store that is read late may still hold it
    this.lastPlace = 0;
    /** @type {Map<string, Entry>} */
    this.entries = new Map();
    /** @type {Map<string, Lane>} */
    this.lanes = new Map();
  }

  /** In sending order. @param {string} conversationId @returns {Entry[]} */
  of(conversationId) {
    return [...this.entries.values()]
      .filter((entry) => entry.conversationId === conversationId)
      .sort((a, b) => a.place - b.place);
  }

  /** @param {string} clientMessageId */
  get(clientMessageId) {
    return this.entries.get(clientMessageId);
  }

  /**
   * This will take back what an earlier page left behind, except what another open page is still sending.
   * @param {Promise<(tabId: string) => boolean>} [living]
   */
  async restore(living) {
    this.restoring += 1;
    try {
      await atMost(this.clock, STORE_PATIENCE_MS, this.takeLeft(living));
    } finally {
      this.restoring -= 1;
      this.pumpAll();
    }
  }

  /** @param {Promise<(tabId: string) => boolean>} [living] */
  async takeLeft(living) {
    const isAlive = (await living) ?? (() => false);
    for (const entry of this.actorId ? await this.store.all(this.actorId) : []) {
      const { clientMessageId, tabId, place, state } = entry;
      if (this.entries.has(clientMessageId) || this.done.has(clientMessageId) || (tabId !== this.tabId && isAlive(tabId))) continue;
      this.lastPlace = Math.max(this.lastPlace, place);
      this.keep({ ...entry, tabId: this.tabId, state: state === "failed" ? state : "queued" });
    }
    if (!this.restoring) this.pumpAll();
  }

  /** This will keep a message and send it as soon as it may be. @param {Draft} draft @returns {Entry} */
  add({ conversationId, content, replyToId = null, attachments = [], attachmentIds = attachments.map(({ id }) => id), metadata = {} }) {
    this.lastPlace = Math.max(this.lastPlace + 1, this.clock.now());
    /** @type {Entry} */
    const entry = {
      clientMessageId: uuid(),
      actorId: this.actorId,
      tabId: this.tabId,
      conversationId,
      content,
      replyToId,
      attachmentIds,
      attachments,
      metadata,
      createdAt: new Date(this.clock.now()).toISOString(),
      place: this.lastPlace,
      state: "queued",
      messageId: null,
      problem: null,
    };
    // Written before the first try: a crash in between costs nothing.
    atMost(this.clock, STORE_PATIENCE_MS, this.keep(entry)).finally(() => this.pump(conversationId));
    return entry;
  }

  /** This will send everything that is not known to be committed again, in order. */
  online() {
    this.connected = true;
    for (const entry of this.entries.values()) if (entry.state === "accepted") this.note(entry, { state: "queued" });
    this.pumpAll();
  }

  offline() {
    this.connected = false;
  }

  /** This will recognise a copy of one of mine. @param {Message} message */
  noted(message) {
    const entry = message.clientMessageId && this.entries.get(message.clientMessageId);
    if (!entry || message.senderId !== this.actorId) return;
    if (message.persisted) this.drop(entry);
    else if (entry.state !== "accepted") this.accept(entry, message.id);
  }

  /** This will mark what the server took and could not keep. @param {string} messageId @param {string} problem */
  refuse(messageId, problem) {
    const entry = [...this.entries.values()].find((one) => one.messageId === messageId);
    if (entry) this.note(entry, { state: "failed", problem });
  }

  /** @param {string} clientMessageId */
  retry(clientMessageId) {
    const entry = this.entries.get(clientMessageId);
    if (entry?.state !== "failed") return;
    this.note(entry, { state: "queued", problem: null });
    this.stopWaiting(this.lane(entry.conversationId));
    this.pump(entry.conversationId);
  }

  /** @param {string} clientMessageId @returns {Entry | undefined} what was thrown away */
  discard(clientMessageId) {
    const entry = this.entries.get(clientMessageId);
    if (entry) this.drop(entry);
    return entry;
  }

  pumpAll() {
    for (const id of new Set([...this.entries.values()].map((entry) => entry.conversationId))) {
      this.stopWaiting(this.lane(id));
      this.pump(id);
    }
  }

  /** One in flight for each conversation, oldest first. @param {string} conversationId */
  async pump(conversationId) {
    const lane = this.lane(conversationId);
    lane.wanted = true;
    if (lane.busy || lane.timer != null) return;
    lane.busy = true;
    while (lane.wanted) {
      lane.wanted = false;
      while (this.connected && !this.restoring && lane.timer == null && (await this.sendNext(conversationId, lane)));
    }
    lane.busy = false;
  }

  /** @param {string} conversationId @param {Lane} lane @returns {Promise<boolean>} go on? */
  async sendNext(conversationId, lane) {
    const entries = this.of(conversationId);
    const entry = entries.find(({ state }) => state === "queued");
    if (!entry) return false;
    const before = entries.filter(({ state, place }) => state === "accepted" && place < entry.place);
    this.note(entry, { state: "sending", problem: null });
    try {
      const message = await this.send(payloadOf(entry, before.at(-1)?.clientMessageId));
      lane.backoff.reset();
      this.noted(message);
      return true;
    } catch (error) {
      return this.recover(entry, asFailure(error), lane);
    }
  }

  /**
   * @param {Entry} entry @param {import("./failure.js").Failure} failure @param {Lane} lane
   * @returns {boolean} whether the next may be tried at once
   */
  recover(entry, failure, lane) {
    if (!this.entries.has(entry.clientMessageId)) return true;
    if (!failure.temporary && !WAITING.has(failure.code)) {
      this.note(entry, { state: "failed", problem: failure.sentence() });
      return true;
    }
    this.note(entry, { state: "queued", problem: failure.message });
    if (failure.code === "out_of_order") {
      for (const earlier of this.of(entry.conversationId)) {
        if (earlier.state === "accepted" && earlier.place < entry.place) this.note(earlier, { state: "queued" });
      }
    }
    const delay = Math.max((failure.retryAfter ?? 0) * 1000, lane.backoff.next());
    lane.timer = this.clock.after(() => {
      lane.timer = null;
      this.pump(entry.conversationId);
    }, delay);
    return false;
  }

  /** @param {Lane} lane */
  stopWaiting(lane) {
    this.clock.cancel(lane.timer);
    lane.timer = null;
  }

  /** @param {Entry} entry @param {string} messageId */
  accept(entry, messageId) {
    this.note(entry, { state: "accepted", messageId, problem: null });
    const { clientMessageId, conversationId } = entry;
    this.clock.after(() => {
      const still = this.entries.get(clientMessageId);
      if (still?.state !== "accepted") return;
      this.note(still, { state: "queued" });
      this.pump(conversationId);
    }, UNHEARD_AFTER_MS);
  }

  /** @param {Entry} entry @param {Partial<Entry>} changes */
  note(entry, changes) {
    return this.keep({ ...(this.entries.get(entry.clientMessageId) ?? entry), ...changes });
  }

  /** @param {Entry} entry */
  async keep(entry) {
    this.entries.set(entry.clientMessageId, entry);
    this.emit("change", entry.conversationId);
    await this.store.put(entry).catch(() => {
      // A full or forbidden disk must not stop the talk: it is sent from memory.
    });
  }

  /** @param {Entry} entry */
  drop(entry) {
    this.entries.delete(entry.clientMessageId);
    this.done.add(entry.clientMessageId);
    this.emit("change", entry.conversationId);
    this.store.remove(entry.clientMessageId).catch(() => {
      // It will be sent once more after a reload, and recognised by its id.
    });
  }

  /** @param {string} conversationId */
  lane(conversationId) {
    let lane = this.lanes.get(conversationId);
    if (!lane) {
      const backoff = new Backoff({ firstMs: 400, mostMs: 15_000, random: this.random });
      lane = { busy: false, wanted: false, timer: null, backoff };
      this.lanes.set(conversationId, lane);
    }
    return lane;
  }
}

/** Refusals that pass by themselves even where the answer does not say so. */
const WAITING = new Set(["out_of_order", "rate_limited", "unavailable", "unauthenticated"]);

/** @param {Entry} entry @param {string | undefined} afterClientMessageId */
function payloadOf(entry, afterClientMessageId) {
  const { conversationId, content, clientMessageId, replyToId, attachmentIds, metadata } = entry;
  /** @type {Record<string, any>} */
  const payload = { conversationId, content, clientMessageId };
  if (replyToId) payload.replyToId = replyToId;
  if (attachmentIds.length) payload.attachmentIds = attachmentIds;
  if (Object.keys(metadata).length) payload.metadata = metadata;
  if (afterClientMessageId) payload.afterClientMessageId = afterClientMessageId;
  return payload;
}
