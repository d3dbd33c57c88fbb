// Who is there. Emits `change`.

import { systemClock } from "./clock.js";
import { Emitter } from "./emitter.js";

/** @typedef {import("./types.js").Presence} Presence */

const AWAY_AFTER_MS = 5 * 60_000;

export class People extends Emitter {
  constructor() {
    super();
    /** @type {Map<string, Presence>} */
    this.byId = new Map();
    this.times = 0;
    /** When each was heard of last, counted. @type {Map<string, number>} */
    this.heardAt = new Map();
  }

  /** This will take an answer, but for those of whom something was heard while it was on its way. @param {() => Promise<{items: Presence[]}>} question */
  async ask(question) {
    const since = this.times;
    const { items } = await question();
    this.heard(items.filter((one) => (this.heardAt.get(personOf(one)) ?? 0) <= since));
    return items;
  }

  /** @param {string} id */
  isOnline(id) {
    return this.byId.get(id)?.status === "online";
  }

  /** @param {string} id */
  status(id) {
    return this.byId.get(id)?.status ?? "offline";
  }

  /** @param {Presence[]} events */
  heard(events) {
    this.times += 1;
    for (const event of events) {
      this.byId.set(personOf(event), event);
      this.heardAt.set(personOf(event), this.times);
    }
    this.emit("change", events);
  }
}

/** @param {Presence} presence */
export const personOf = ({ id, userId, customerId }) => userId ?? customerId ?? id;

/** Tells `online` on activity and `away` after five quiet minutes; only changes are told. */
export class OwnPresence {
  /**
   * @param {object} options
   * @param {(status: "online" | "away") => void} options.tell
   * @param {import("./clock.js").Clock} [options.clock]
   */
  constructor({ tell, clock = systemClock }) {
    this.tell = tell;
    this.clock = clock;
    this.status = "online";
    /** @type {any} */
    this.timer = null;
  }

  active() {
    this.clock.cancel(this.timer);
    this.timer = this.clock.after(() => this.become("away"), AWAY_AFTER_MS);
    this.become("online");
  }

  /** A new connection counts as online until it says otherwise. */
  online() {
    if (this.status === "away") this.tell("away");
  }

  /** @param {"online" | "away"} status */
  become(status) {
    if (this.status === status) return;
    this.status = status;
    this.tell(status);
  }
}
