// Delays between attempts, spread out so that a restart is not followed by a stampede.

/** Full jitter: any moment between nothing and the doubled ceiling of this attempt. */
export class Backoff {
  /** @param {{firstMs?: number, mostMs?: number, random?: () => number}} [options] */
  constructor({ firstMs = 500, mostMs = 10_000, random = Math.random } = {}) {
    this.firstMs = firstMs;
    this.mostMs = mostMs;
    this.random = random;
    this.attempts = 0;
  }

  /** The delay before the next attempt, in ms. */
  next() {
    const ceiling = Math.min(this.mostMs, this.firstMs * 2 ** Math.min(this.attempts, 20));
    this.attempts += 1;
    return Math.round(this.random() * ceiling);
  }

  reset() {
    this.attempts = 0;
  }
}
