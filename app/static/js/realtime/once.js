/** Work that is under way is joined, not begun twice. */
export class Once {
  constructor() {
    /** @type {Map<string, Promise<any>>} */
    this.underWay = new Map();
  }

  /** @param {string} key */
  isRunning(key) {
    return this.underWay.has(key);
  }

  /** @template T @param {string} key @param {() => Promise<T>} work @returns {Promise<T>} */
  run(key, work) {
    let running = this.underWay.get(key);
    if (!running) {
      running = work().finally(() => this.underWay.delete(key));
      this.underWay.set(key, running);
    }
    return running;
  }
}
