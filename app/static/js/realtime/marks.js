// Tells the server how far I have received and read: the newest of each conversation, in batches.

import { systemClock } from "./clock.js";

const BATCH_MS = 400;
const AGAIN_MS = 3_000;

/** @typedef {{seq: number, messageId?: string}} Mark */

/** Keeps one rising mark for each conversation and reports it, late rather than often. */
export class Marks {
  /**
   * @param {object} options
   * @param {(conversationId: string, mark: Mark) => Promise<unknown>} options.report
   * @param {import("./clock.js").Clock} [options.clock]
   */
  constructor({ report, clock = systemClock }) {
    this.report = report;
    this.clock = clock;
    this.connected = false;
    /** @type {Map<string, number>} */
    this.reported = new Map();
    /** @type {Map<string, Mark>} */
    this.wanted = new Map();
    /** How often each was set back: what was reported before says nothing any more. @type {Map<string, number>} */
    this.resets = new Map();
    /** @type {Map<string, Promise<void>>} */
    this.underWay = new Map();
    /** @type {any} */
    this.timer = null;
  }

  /** What the server is known to hold already. @param {string} conversationId @param {number} seq */
  known(conversationId, seq) {
    this.reported.set(conversationId, Math.max(seq, this.reported.get(conversationId) ?? 0));
  }

  /** @param {string} conversationId @param {Mark} mark */
  mark(conversationId, mark) {
    const reported = this.reported.get(conversationId) ?? 0;
    if (mark.seq <= Math.max(reported, this.wanted.get(conversationId)?.seq ?? 0)) return;
    this.wanted.set(conversationId, mark);
    this.later(BATCH_MS);
  }

  /** A mark that was set back on purpose. @param {string} conversationId @param {number} seq */
  reset(conversationId, seq) {
    this.wanted.delete(conversationId);
    this.reported.set(conversationId, seq);
    this.resets.set(conversationId, (this.resets.get(conversationId) ?? 0) + 1);
  }

  /** Whether a mark has not been answered yet. @param {string} conversationId */
  isBusy(conversationId) {
    return this.wanted.has(conversationId) || this.underWay.has(conversationId);
  }

  online() {
    this.connected = true;
    if (this.wanted.size) this.later(BATCH_MS);
  }

  offline() {
    this.connected = false;
  }

  /** @param {number} delayMs */
  later(delayMs) {
    this.timer ??= this.clock.after(() => {
      this.timer = null;
      this.flush();
    }, delayMs);
  }

  flush() {
    if (this.connected) for (const conversationId of [...this.wanted.keys()]) this.begin(conversationId);
  }

  /** This will report what waits for a conversation without delay, and wait for every answer. @param {string} conversationId */
  async settled(conversationId) {
    if (this.connected) this.begin(conversationId);
    await this.underWay.get(conversationId);
  }

  /** @param {string} conversationId */
  begin(conversationId) {
    const mark = this.wanted.get(conversationId);
    if (!mark) return;
    this.wanted.delete(conversationId);
    const told = Promise.all([this.underWay.get(conversationId), this.tell(conversationId, mark)]).then(() => {
      if (this.underWay.get(conversationId) === told) this.underWay.delete(conversationId);
    });
    this.underWay.set(conversationId, told);
  }

  /** @param {string} conversationId @param {Mark} mark */
  async tell(conversationId, mark) {
    const resets = this.resets.get(conversationId);
    const isOver = () => resets !== this.resets.get(conversationId);
    try {
      await this.report(conversationId, mark);
      if (!isOver()) this.known(conversationId, mark.seq);
    } catch (error) {
      if (isOver() || !(/** @type {any} */ (error)?.temporary)) return;
      const newer = this.wanted.get(conversationId);
      if (!newer || newer.seq < mark.seq) this.wanted.set(conversationId, mark);
      this.later(AGAIN_MS);
    }
  }
}
