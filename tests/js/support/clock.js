/** A clock that stands until it is told to go on. */
export class FakeClock {
  constructor() {
    this.time = Date.parse("2026-03-01T10:00:00Z");
    this.timers = new Map();
    this.lastId = 0;
  }

  now = () => this.time;

  after = (run, delayMs) => {
    this.lastId += 1;
    this.timers.set(this.lastId, { at: this.time + delayMs, run });
    return this.lastId;
  };

  cancel = (id) => void this.timers.delete(id);

  /** Runs what is due within `ms`, in order, letting promises settle in between. */
  async advance(ms) {
    const end = this.time + ms;
    await settled();
    for (;;) {
      const due = [...this.timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.time = Math.max(this.time, due[1].at);
      due[1].run();
      await settled();
    }
    this.time = end;
  }
}

/** Lets everything that waits only for promises go on. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));
