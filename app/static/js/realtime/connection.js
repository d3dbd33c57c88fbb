// One socket that comes back by itself, and requests that always end in an answer or a Failure.

import { Backoff } from "./backoff.js";
import { systemClock } from "./clock.js";
import { Emitter } from "./emitter.js";
import { Failure, unanswered } from "./failure.js";

/**
 * idle: not started · connecting: first try · online: `ready` was heard ·
 * waiting: lost, will try again at `retryAt` · retrying: trying now · refused: the credential is not valid.
 * @typedef {"idle" | "connecting" | "online" | "waiting" | "retrying" | "refused"} ConnectionState
 */

const STEADY_AFTER_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** Emits `state`, and every server event under its own name. */
export class Connection extends Emitter {
  /**
   * @param {object} options
   * @param {() => any} options.open  makes a socket.io-client socket that neither connects nor reconnects by itself
   * @param {import("./clock.js").Clock} [options.clock]
   * @param {Backoff} [options.backoff]
   */
  constructor({ open, clock = systemClock, backoff = new Backoff() }) {
    super();
    this.open = open;
    this.clock = clock;
    this.backoff = backoff;
    /** @type {ConnectionState} */
    this.state = "idle";
    /** When the next try begins, ms since the epoch. @type {number | null} */
    this.retryAt = null;
    /** @type {any} */
    this.socket = null;
    /** @type {any} */
    this.timer = null;
    /** @type {any} */
    this.steadyTimer = null;
    /** The server's own wish for the next delay. @type {number | null} */
    this.askedDelayMs = null;
  }

  get online() {
    return this.state === "online";
  }

  start() {
    if (this.socket) return;
    this.socket = this.open();
    this.socket.on("disconnect", () => this.lost());
    this.socket.on("connect_error", (/** @type {any} */ error) => this.failed(error));
    this.socket.onAny((/** @type {string} */ name, /** @type {any} */ payload) => this.heard(name, payload));
    this.become("connecting");
    this.socket.connect();
  }

  stop() {
    this.forgetTimers();
    this.socket?.disconnect();
    this.socket = null;
    this.become("idle");
  }

  /** This will give up a socket that cannot be alive any more, sooner than its heartbeat does. */
  suspect() {
    if (this.socket?.connected) this.socket.disconnect();
  }

  /** This will try at once instead of waiting, as when the network is back or the page is seen again. */
  hurry() {
    if (this.state === "waiting") this.retry();
  }

  /**
   * This will send one event and return the data of its ack.
   * @param {string} name
   * @param {object} payload
   * @returns {Promise<any>} rejects with a Failure
   */
  request(name, payload, timeoutMs = REQUEST_TIMEOUT_MS) {
    if (!this.socket?.connected) return Promise.reject(unanswered("There is no connection."));
    return new Promise((resolve, reject) => {
      this.socket.timeout(timeoutMs).emit(name, payload, (/** @type {any} */ lost, /** @type {any} */ ack) => {
        if (lost) reject(unanswered());
        else if (ack?.ok) resolve(ack.data);
        else reject(new Failure(ack?.error ?? { code: "internal", message: "The answer made no sense." }));
      });
    });
  }

  /** @param {string} name @param {any} payload */
  heard(name, payload) {
    if (name === "ready") this.ready();
    if (name === "system" && payload?.reconnectAfterMs != null) this.askedDelayMs = payload.reconnectAfterMs;
    this.emit(name, payload);
  }

  ready() {
    this.retryAt = null;
    this.askedDelayMs = null;
    this.become("online");
    // A server that takes us and drops us at once must not be met with quick retries.
    this.steadyTimer = this.clock.after(() => this.backoff.reset(), STEADY_AFTER_MS);
  }

  lost() {
    if (this.socket && this.state !== "refused") this.wait();
  }

  /** @param {any} error */
  failed(error) {
    const refusal = refusalIn(error);
    if (refusal?.code === "unauthenticated") {
      this.forgetTimers();
      this.become("refused");
      return;
    }
    this.wait(refusal?.retryAfter ? refusal.retryAfter * 1000 : 0);
  }

  wait(leastMs = 0) {
    this.forgetTimers();
    const delay = this.askedDelayMs ?? Math.max(leastMs, this.backoff.next());
    this.askedDelayMs = null;
    this.retryAt = this.clock.now() + delay;
    this.timer = this.clock.after(() => this.retry(), delay);
    this.become("waiting");
  }

  retry() {
    this.forgetTimers();
    if (!this.socket || this.socket.connected) return;
    this.become("retrying");
    this.socket.connect();
  }

  forgetTimers() {
    this.clock.cancel(this.timer);
    this.clock.cancel(this.steadyTimer);
  }

  /** @param {ConnectionState} state */
  become(state) {
    this.state = state;
    this.emit("state", state);
  }
}

/** The server's refusal inside a connect error, wherever its library put it. @param {any} error */
function refusalIn(error) {
  if (error?.data?.code) return error.data;
  if (error?.message?.includes("unauthenticated")) return { code: "unauthenticated" };
  return null;
}
