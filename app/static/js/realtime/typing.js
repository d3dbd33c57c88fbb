// Typing: told when it begins, kept up while it goes on, ended on a pause; and who else types.

import { systemClock } from "./clock.js";
import { Emitter } from "./emitter.js";

const DEBOUNCE_MS = 300;
const REFRESH_MS = 2_500;
const PAUSE_MS = 3_000;

/** My own typing in one conversation at a time. */
export class OwnTyping {
  /**
   * @param {object} options
   * @param {(conversationId: string, isTyping: boolean) => void} options.tell
   * @param {import("./clock.js").Clock} [options.clock]
   */
  constructor({ tell, clock = systemClock }) {
    this.tell = tell;
    this.clock = clock;
    /** @type {string | null} */
    this.conversationId = null;
    this.toldAt = -Infinity;
    /** @type {any} */
    this.startTimer = null;
    /** @type {any} */
    this.pauseTimer = null;
  }

  /** @param {string} conversationId */
  pressed(conversationId) {
    if (this.conversationId !== conversationId) this.stop();
    this.conversationId = conversationId;
    this.clock.cancel(this.pauseTimer);
    this.pauseTimer = this.clock.after(() => this.stop(), PAUSE_MS);
    if (this.startTimer != null || this.clock.now() - this.toldAt < REFRESH_MS) return;
    this.startTimer = this.clock.after(() => this.start(), DEBOUNCE_MS);
  }

  /** On send, on blur, on leaving the conversation. */
  stop() {
    this.clock.cancel(this.pauseTimer);
    this.clock.cancel(this.startTimer);
    this.startTimer = null;
    if (this.conversationId && this.toldAt > -Infinity) this.tell(this.conversationId, false);
    this.conversationId = null;
    this.toldAt = -Infinity;
  }

  start() {
    this.startTimer = null;
    if (!this.conversationId) return;
    this.toldAt = this.clock.now();
    this.tell(this.conversationId, true);
  }
}

/** Who else is typing. Emits `change` with the conversation's id. */
export class OthersTyping extends Emitter {
  constructor(clock = systemClock) {
    super();
    this.clock = clock;
    /** @type {Map<string, Map<string, any>>} conversation to person to timer */
    this.typing = new Map();
  }

  /** @param {string} conversationId @returns {string[]} ids of people */
  of(conversationId) {
    return [...(this.typing.get(conversationId)?.keys() ?? [])];
  }

  /** @param {import("./types.js").Typing} event */
  heard({ conversationId, userId, customerId, isTyping, startedAt, expiresAt }) {
    const person = userId ?? customerId;
    if (!person) return;
    if (!isTyping) return this.ended(conversationId, person);
    const people = this.typing.get(conversationId) ?? new Map();
    this.typing.set(conversationId, people);
    this.clock.cancel(people.get(person));
    // The server's two instants give the span, so a wrong clock here does no harm.
    const span = Math.min(10_000, Math.max(1_000, Date.parse(expiresAt) - Date.parse(startedAt) || 5_000));
    people.set(
      person,
      this.clock.after(() => this.ended(conversationId, person), span + 500),
    );
    this.emit("change", conversationId);
  }

  /** Also when a message of theirs arrives. @param {string} conversationId @param {string} person */
  ended(conversationId, person) {
    const people = this.typing.get(conversationId);
    if (!people?.has(person)) return;
    this.clock.cancel(people.get(person));
    people.delete(person);
    this.emit("change", conversationId);
  }

  /** The server does not tell what stopped while we were away. */
  clear() {
    for (const [conversationId, people] of this.typing) {
      for (const person of [...people.keys()]) this.ended(conversationId, person);
    }
  }
}
