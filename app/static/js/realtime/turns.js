/** Work of one name is done one after the other, in the order in which it was asked for. */
export class Turns {
  constructor() {
    /** @type {Map<string, Promise<any>>} */
    this.last = new Map();
  }

  /** @template T @param {string} name @param {() => Promise<T>} work @returns {Promise<T>} */
  run(name, work) {
    const mine = (this.last.get(name) ?? Promise.resolve()).then(work);
    const done = mine.then(
      () => {},
      () => {},
    );
    this.last.set(name, done);
    done.then(() => this.last.get(name) === done && this.last.delete(name));
    return mine;
  }
}
