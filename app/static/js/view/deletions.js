// Deleting with a way back: a message is out of sight at once and gone for good some moments later.

import { Emitter } from "../realtime/emitter.js";

/** @typedef {import("../realtime/types.js").Message} Message */

export const UNDO_MS = 6_000;

/** Emits `change`. */
export class Deletions extends Emitter {
  /**
   * @param {(messageId: string) => Promise<unknown>} remove @param {(error: unknown) => void} report
   * @param {(messageId: string) => Promise<unknown>} removeLast  the same where the page goes: it must outlive it
   */
  constructor(remove, report, removeLast = remove) {
    super();
    this.remove = remove;
    this.report = report;
    this.removeLast = removeLast;
    /** @type {Map<string, any>} message to timer */
    this.pending = new Map();
    /** Told to the server and not answered yet: there is no way back any more. @type {Set<string>} */
    this.going = new Set();
    // Leaving the page is no way of saying "undo".
    addEventListener("pagehide", () => this.flush());
  }

  /** @param {string} messageId */
  isPending(messageId) {
    return this.pending.has(messageId) || this.going.has(messageId);
  }

  /** @param {string} messageId */
  begin(messageId) {
    if (this.isPending(messageId)) return;
    this.pending.set(messageId, setTimeout(() => this.finish(messageId), UNDO_MS));
    this.emit("change");
  }

  /** Takes all back that are not gone yet. */
  undo() {
    for (const timer of this.pending.values()) clearTimeout(timer);
    this.pending.clear();
    this.emit("change");
  }

  /** Nobody is hurried who is about to press. @param {boolean} isHeld */
  hold(isHeld) {
    for (const [messageId, timer] of this.pending) {
      clearTimeout(timer);
      if (!isHeld) this.pending.set(messageId, setTimeout(() => this.finish(messageId), UNDO_MS));
    }
  }

  flush() {
    for (const messageId of [...this.pending.keys()]) this.finish(messageId, this.removeLast);
  }

  /** @param {string} messageId @param {(messageId: string) => Promise<unknown>} [remove] */
  async finish(messageId, remove = this.remove) {
    clearTimeout(this.pending.get(messageId));
    this.pending.delete(messageId);
    this.going.add(messageId);
    this.emit("change");
    try {
      await remove(messageId);
    } catch (error) {
      this.report(error);
    }
    this.going.delete(messageId);
    this.emit("change");
  }
}
