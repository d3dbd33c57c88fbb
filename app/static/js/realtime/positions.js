// Applies each conversation's changes in order and without a hole, whatever the wire does.

import { Backoff } from "./backoff.js";
import { systemClock } from "./clock.js";
import { Emitter } from "./emitter.js";

/**
 * @typedef {{changedSeq: number | null}} Change
 * @typedef {object} Track
 * @property {number} position  everything up to here is applied
 * @property {number} head  the newest position heard of
 * @property {Map<number, any>} held  changes from beyond a gap
 * @property {any} timer
 * @property {boolean} healing
 * @property {number} epoch  a heal that began in an earlier one no longer speaks for this track
 * @property {Backoff} backoff
 */

export const GAP_WAIT_MS = 300;

/** Emits `change` with the conversation's id. */
export class Positions extends Emitter {
  /**
   * @param {object} options
   * @param {(conversationId: string, change: any) => void} options.apply  called in order, once a position
   * @param {(conversationId: string, position: number) => Promise<number>} options.heal
   *   fetches and applies what follows `position`; resolves to the position reached
   * @param {(conversationId: string, position: number) => void} [options.moved]
   * @param {import("./clock.js").Clock} [options.clock]
   */
  constructor({ apply, heal, moved = () => {}, clock = systemClock }) {
    super();
    this.apply = apply;
    this.heal = heal;
    this.moved = moved;
    this.clock = clock;
    /** @type {Map<string, Track>} */
    this.tracks = new Map();
  }

  /** @param {string} conversationId */
  at(conversationId) {
    return this.tracks.get(conversationId)?.position ?? null;
  }

  /** True where nothing newer is known of. @param {string} conversationId */
  isComplete(conversationId) {
    const track = this.tracks.get(conversationId);
    return !!track && !track.healing && track.head <= track.position;
  }

  /**
   * This will hold `position` as what is applied, even when that is a step back: a fresh page of history
   * describes its own moment, and what was applied elsewhere after it has to be fetched into it.
   * @param {string} conversationId @param {number} position
   */
  restart(conversationId, position) {
    const track = this.track(conversationId);
    track.head = Math.max(track.head, track.position, position);
    track.position = position;
    track.epoch += 1;
    track.healing = false;
    this.settle(conversationId, track);
    this.emit("change", conversationId);
  }

  /** This will advance to a position reached by other means, never back. @param {string} conversationId @param {number} position */
  advance(conversationId, position) {
    const track = this.track(conversationId);
    if (position > track.position) this.reach(conversationId, track, position);
    this.settle(conversationId, track);
  }

  /** @param {string} conversationId @param {Change} change */
  offer(conversationId, change) {
    if (change.changedSeq == null) return;
    const track = this.track(conversationId);
    if (change.changedSeq <= track.position) return;
    track.head = Math.max(track.head, change.changedSeq);
    track.held.set(change.changedSeq, change);
    this.settle(conversationId, track);
  }

  /** This will notice that the newest changes were missed. @param {string} conversationId @param {number} headSeq */
  heardOfHead(conversationId, headSeq) {
    const track = this.track(conversationId);
    track.head = Math.max(track.head, headSeq);
    this.settle(conversationId, track);
  }

  /** This will try every open gap again at once, as after a reconnect. */
  retryAll() {
    for (const [conversationId, track] of this.tracks) {
      if (track.head <= track.position || track.healing) continue;
      this.clock.cancel(track.timer);
      track.timer = null;
      track.backoff.reset();
      this.mend(conversationId, track);
    }
  }

  /** @param {string} conversationId */
  forget(conversationId) {
    this.clock.cancel(this.tracks.get(conversationId)?.timer);
    this.tracks.delete(conversationId);
  }

  /** @param {string} conversationId @returns {Track} */
  track(conversationId) {
    let track = this.tracks.get(conversationId);
    if (!track) {
      const backoff = new Backoff({ firstMs: 1_000 });
      track = { position: 0, head: 0, held: new Map(), timer: null, healing: false, epoch: 0, backoff };
      this.tracks.set(conversationId, track);
    }
    return track;
  }

  /** @param {string} conversationId @param {Track} track */
  settle(conversationId, track) {
    if (track.healing) return;
    this.applyHeld(conversationId, track);
    if (track.head <= track.position) {
      this.clock.cancel(track.timer);
      track.timer = null;
    } else if (track.timer == null) {
      this.mendAfter(conversationId, track, GAP_WAIT_MS);
    }
  }

  /** @param {string} conversationId @param {Track} track */
  applyHeld(conversationId, track) {
    for (const changedSeq of track.held.keys()) if (changedSeq <= track.position) track.held.delete(changedSeq);
    for (;;) {
      const change = track.held.get(track.position + 1);
      if (!change) return;
      track.held.delete(change.changedSeq);
      this.apply(conversationId, change);
      this.reach(conversationId, track, change.changedSeq);
    }
  }

  /** @param {string} conversationId @param {Track} track @param {number} delayMs */
  mendAfter(conversationId, track, delayMs) {
    track.timer = this.clock.after(() => {
      track.timer = null;
      if (this.tracks.get(conversationId) === track && track.head > track.position) this.mend(conversationId, track);
    }, delayMs);
  }

  /** @param {string} conversationId @param {Track} track */
  async mend(conversationId, track) {
    track.healing = true;
    this.emit("change", conversationId);
    const from = track.position;
    const epoch = track.epoch;
    let reached = from;
    try {
      reached = await this.heal(conversationId, from);
    } catch {
      // Offline or busy: the gap stays known, and the next try or the next `ready` closes it.
    }
    if (this.tracks.get(conversationId) !== track || track.epoch !== epoch) return;
    track.healing = false;
    this.emit("change", conversationId);
    if (reached > track.position) this.reach(conversationId, track, reached);
    if (reached > from) track.backoff.reset();
    this.applyHeld(conversationId, track);
    if (track.head > track.position) this.mendAfter(conversationId, track, reached > from ? 0 : 250 + track.backoff.next());
  }

  /** @param {string} conversationId @param {Track} track @param {number} position */
  reach(conversationId, track, position) {
    track.position = position;
    track.head = Math.max(track.head, position);
    this.moved(conversationId, position);
    this.emit("change", conversationId);
  }
}
