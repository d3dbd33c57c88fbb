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

/** This will wait for some work, but not for ever. @param {Clock} clock @param {number} ms @param {Promise<unknown>} work */
export function atMost(clock, ms, work) {
  /** @type {any} */
  let timer;
  const enough = new Promise((resolve) => (timer = clock.after(() => resolve(undefined), ms)));
  return Promise.race([work, enough]).finally(() => clock.cancel(timer));
}
