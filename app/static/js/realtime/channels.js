// What the server is asked to tell beyond messages: receipts, typing, presence. Held again after a reconnect.

import { systemClock } from "./clock.js";
import { Emitter } from "./emitter.js";
import { asFailure } from "./failure.js";
import { Turns } from "./turns.js";

const AGAIN_MS = 3_000;

/** @typedef {"closed" | "joining" | "joined" | "errored"} ChannelState */

/** One named channel as a page holds it. */
export class Channel extends Emitter {
  /** @param {Channels} channels @param {string[]} names */
  constructor(channels, names) {
    super();
    this.channels = channels;
    this.names = names;
    /** @type {ChannelState} */
    this.state = "closed";
    /** Undoes what was hung on for this channel. @type {(() => void)[]} */
    this.cleanups = [];
  }

  /** @param {(state: ChannelState, error?: Error) => void} [callback] */
  subscribe(callback) {
    if (callback) this.cleanups.push(this.on("state", ({ state, error }) => callback(state, error)));
    if (this.state === "closed" || this.state === "errored") this.channels.join(this);
    else callback?.(this.state);
    return this;
  }

  unsubscribe() {
    for (const cleanup of this.cleanups.splice(0)) cleanup();
    this.channels.leave(this);
  }

  /** @param {ChannelState} state @param {Error} [error] */
  become(state, error) {
    this.state = state;
    this.emit("state", { state, error });
  }
}

export class Channels {
  /** @param {(event: string, payload: object) => Promise<any>} request @param {import("./clock.js").Clock} [clock] */
  constructor(request, clock = systemClock) {
    this.request = request;
    this.clock = clock;
    this.connected = false;
    /** The server may handle two requests at once: an unsubscribe must not be overtaken by the subscribe after it. */
    this.turns = new Turns();
    /** Names that this connection has asked for. @type {Set<string>} */
    this.asked = new Set();
    /** @type {Set<Channel>} */
    this.held = new Set();
  }

  /** @param {...string} names */
  channel(...names) {
    return new Channel(this, names);
  }

  /** @param {Channel} channel */
  join(channel) {
    this.held.add(channel);
    channel.become("joining");
    if (this.connected) this.ask([channel]);
  }

  /** @param {Channel} channel */
  leave(channel) {
    if (!this.held.delete(channel)) return;
    channel.become("closed");
    // Lost with the connection in any case.
    if (this.connected) this.inTurn(() => this.drop(channel.names)).catch(() => {});
  }

  /** @param {string[]} names  as far as they are not held again by now */
  async drop(names) {
    const channels = names.filter((name) => !this.isHeld(name) && this.asked.delete(name));
    if (channels.length) await this.request("unsubscribe", { channels });
  }

  /** @template T @param {() => Promise<T>} work */
  inTurn(work) {
    return this.turns.run("channels", work);
  }

  online() {
    this.connected = true;
    this.turns = new Turns();
    this.asked = new Set();
    this.ask([...this.held]);
  }

  offline() {
    this.connected = false;
    for (const channel of this.held) if (channel.state === "joined") channel.become("joining");
  }

  /** @param {string} name */
  isHeld(name) {
    return [...this.held].some((channel) => channel.names.includes(name));
  }

  /** @param {Channel[]} channels */
  async ask(channels) {
    const names = [...new Set(channels.flatMap((channel) => channel.names))];
    if (!names.length) return;
    try {
      await this.inTurn(() => {
        for (const name of names) this.asked.add(name);
        return this.request("subscribe", { channels: names });
      });
      for (const channel of channels) if (this.held.has(channel)) channel.become("joined");
    } catch (error) {
      this.refused(channels, asFailure(error));
    }
  }

  /** @param {Channel[]} channels @param {import("./failure.js").Failure} failure */
  refused(channels, failure) {
    if (failure.temporary) {
      this.clock.after(() => this.askAgain(channels), AGAIN_MS);
      return;
    }
    // One forbidden name refuses the whole request: each is asked for by itself.
    if (channels.length > 1) for (const channel of channels) this.ask([channel]);
    else if (this.held.has(channels[0])) channels[0].become("errored", failure);
  }

  /** Those that nothing else has settled meanwhile. @param {Channel[]} channels */
  askAgain(channels) {
    if (this.connected) this.ask(channels.filter((channel) => this.held.has(channel) && channel.state === "joining"));
  }
}
