// What has been on screen while somebody was looking.

/** @typedef {import("../realtime/types.js").Message} Message */

export class Seen {
  /** @param {(message: Message) => void} report  the newest in sight */
  constructor(report) {
    this.report = report;
    /** @type {Map<Element, Message>} */
    this.watched = new Map();
    /** @type {Set<Element>} */
    this.inSight = new Set();
    this.observer = new IntersectionObserver((entries) => this.moved(entries));
    this.look = () => this.tell();
    addEventListener("focus", this.look);
    document.addEventListener("visibilitychange", this.look);
  }

  /** @param {Element} element @param {Message} message */
  watch(element, message) {
    if (!this.watched.has(element)) this.observer.observe(element);
    this.watched.set(element, message);
    if (this.inSight.has(element)) this.tell();
  }

  /** @param {Element} element */
  ignore(element) {
    this.observer.unobserve(element);
    this.watched.delete(element);
    this.inSight.delete(element);
  }

  stop() {
    this.observer.disconnect();
    removeEventListener("focus", this.look);
    document.removeEventListener("visibilitychange", this.look);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  moved(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.inSight.add(target);
      else this.inSight.delete(target);
    }
    this.tell();
  }

  tell() {
    if (document.visibilityState !== "visible" || !document.hasFocus()) return;
    /** @type {Message | null} */
    let newest = null;
    for (const element of this.inSight) {
      const message = this.watched.get(element);
      if (message?.seq != null && message.seq > (newest?.seq ?? 0)) newest = message;
    }
    if (newest) this.report(newest);
  }
}
