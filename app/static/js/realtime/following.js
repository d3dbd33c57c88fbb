// Of which conversations somebody wants to hear each message: there what was missed is fetched and told, not only counted.

export class Following {
  constructor() {
    /** How many follow each; null stands for all. @type {Map<string | null, number>} */
    this.counts = new Map();
  }

  /** @param {string | null} conversationId  null for all @returns {() => void} what ends it */
  follow(conversationId) {
    this.counts.set(conversationId, (this.counts.get(conversationId) ?? 0) + 1);
    return () => void this.counts.set(conversationId, (this.counts.get(conversationId) ?? 0) - 1);
  }

  /** @param {string} conversationId */
  has(conversationId) {
    return [conversationId, null].some((one) => (this.counts.get(one) ?? 0) > 0);
  }
}
