// Deleting with a way back: a message is out of sight at once and gone for good some moments later.

import { Emitter } from "../realtime/emitter.js";

/** @typedef {import("../realtime/types.js").Message} Message */

export const UNDO_MS = 6_000;

/** Emits `change`. */
export class Deletions extends Emitter {
  /** @param {(messageId: string) => Promise<unknown>} remove @param {(error: unknown) => void} report */
  constructor(remove, report) {
    super();
    this.remove = remove;
    this.report = report;
    /** @type {Map<string, any>} message to timer */
    this.pending = new Map();
    // Leaving the page is no way of saying "undo".
    addEventListener("pagehide", () => this.flush());
  }

  /** @param {string} messageId */
  isPending(messageId) {
    return this.pending.has(messageId);
  }

  /** @param {string} messageId */
  begin(messageId) {
    if (this.pending.has(messageId)) return;
    this.pending.set(messageId, setTimeout(() => this.finish(messageId), UNDO_MS));
    this.emit("change");
  }

  /** Takes all back that are not gone yet. */
  undo() {
    for (const timer of this.pending.values()) clearTimeout(timer);
    this.pending.clear();
    this.emit("change");
  }

  flush() {
    for (const messageId of [...this.pending.keys()]) this.finish(messageId);
  }

  /** @param {string} messageId */
  async finish(messageId) {
    clearTimeout(this.pending.get(messageId));
    try {
      await this.remove(messageId);
    } catch (error) {
      this.report(error);
    }
    this.pending.delete(messageId);
    this.emit("change");
  }
}
