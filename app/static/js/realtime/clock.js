// Time is handed in, so that tests do not wait.

/**
 * @typedef {object} Clock
 * @property {() => number} now  ms since the epoch
 * @property {(run: () => void, delayMs: number) => any} after
 * @property {(timer: any) => void} cancel
 */

/** @type {Clock} */
export const systemClock = {
  now: () => Date.now(),
  after: (run, delayMs) => setTimeout(run, delayMs),
  cancel: (timer) => clearTimeout(timer),
};
