// Asks for one conversation as it is now, and knows whether what else was told meanwhile is newer than the answer.

import { Failure } from "./failure.js";

/** @typedef {import("./types.js").Conversation} Conversation */

/** As often is it asked for again where it was told of meanwhile. */
const MOST_TRIES = 4;

export class Asking {
  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.session = session;
    /** Those that were asked for in vain, as where the connection was lost. @type {Set<string>} */
    this.unanswered = new Set();
  }

  /** @param {string} id @returns {Promise<Conversation | null>} null where it is not mine any more */
  ask(id) {
    const { conversations, once } = this.session;
    const key = `conversation ${id}`;
    // Who joins a question that is on its way has heard of something since: its answer may be too old.
    if (once.isRunning(key)) conversations.touch(id);
    return once.run(key, () => this.untilNew(id));
  }

  /** @param {string} id @returns {Promise<Conversation | null>} */
  async untilNew(id) {
    const { conversations, reads } = this.session;
    this.unanswered.add(id);
    for (let tries = 1; ; tries += 1) {
      const turn = conversations.turn(id);
      const told = await this.now(id);
      const isLatest = turn === conversations.turn(id) && !conversations.isAhead(told);
      if (!isLatest && tries < MOST_TRIES) continue;
      this.unanswered.delete(id);
      if (told) this.session.took(told, isLatest && !reads.isBusy(id));
      else this.session.forget(id);
      return told;
    }
  }

  /** @param {string} id @returns {Promise<Conversation | null>} */
  async now(id) {
    try {
      return (await this.session.api.get(`/api/conversations/${id}`)).conversation;
    } catch (error) {
      if (error instanceof Failure && ["not_found", "forbidden"].includes(error.code)) return null;
      throw error;
    }
  }
}
