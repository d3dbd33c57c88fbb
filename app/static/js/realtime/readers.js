// How far everybody else has received and read: one pair of positions a person, from which every tick follows.

import { Emitter } from "./emitter.js";

/**
 * @typedef {import("./types.js").Receipt} Receipt
 * @typedef {import("./types.js").Delivery} Delivery
 * @typedef {{readSeq: number, receivedSeq: number, readAt: string | null}} Reach
 */

/** Emits `change` with the conversation's id. */
export class Readers extends Emitter {
  constructor() {
    super();
    /** @type {Map<string, Map<string, Reach>>} conversation to person */
    this.reached = new Map();
  }

  /** @param {Receipt[]} receipts */
  heard(receipts) {
    for (const { conversationId, readByUserId, readByCustomerId, readAt, upToSeq } of receipts) {
      const person = readByUserId ?? readByCustomerId;
      if (person) this.note(conversationId, person, { readSeq: upToSeq, receivedSeq: upToSeq, readAt });
    }
  }

  /** @param {Delivery[]} deliveries */
  delivered(deliveries) {
    for (const { conversationId, recipientId, status, upToSeq, readAt } of deliveries) {
      if (!recipientId || !["delivered", "read"].includes(status)) continue;
      this.note(conversationId, recipientId, { readSeq: status === "read" ? upToSeq : 0, receivedSeq: upToSeq, readAt });
    }
  }

  /** Who has read a position, and who has at least received it. @param {string} conversationId @param {number} seq @param {string} sender */
  of(conversationId, seq, sender) {
    const others = [...(this.reached.get(conversationId) ?? [])].filter(([person]) => person !== sender);
    const read = others.filter(([, { readSeq }]) => readSeq >= seq).map(([person]) => person);
    const received = others.filter(([, { readSeq, receivedSeq }]) => readSeq < seq && receivedSeq >= seq).map(([person]) => person);
    return { read, received };
  }

  /** @param {string} conversationId @param {string} person @param {Reach} reach */
  note(conversationId, person, reach) {
    const people = this.reached.get(conversationId) ?? new Map();
    this.reached.set(conversationId, people);
    const known = people.get(person) ?? { readSeq: 0, receivedSeq: 0, readAt: null };
    if (reach.readSeq <= known.readSeq && reach.receivedSeq <= known.receivedSeq) return;
    people.set(person, {
      readSeq: Math.max(known.readSeq, reach.readSeq),
      receivedSeq: Math.max(known.receivedSeq, reach.receivedSeq),
      readAt: reach.readSeq > known.readSeq ? reach.readAt : known.readAt,
    });
    this.emit("change", conversationId);
  }
}
