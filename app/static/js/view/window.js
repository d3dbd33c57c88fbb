// The part of a long timeline that is on the page. Bounds are positions; pure, so that it is tested without a page.

/**
 * @typedef {import("../realtime/types.js").Message} Message
 * @typedef {object} Bounds
 * @property {number} from  the first position shown; 0: as far back as is loaded
 * @property {number | null} until  the last position shown; null: to the end, which is followed
 */

/** How many more come at a time, and beyond how many as many go at the other side. */
export const STEP = 60;
export const MOST = 180;

/** @param {Message[]} messages @returns {Bounds} */
export const newest = (messages) => ({ from: from(messages, messages.length - 2 * STEP), until: null });

/** @param {Message[]} messages @param {number} seq @returns {Bounds} */
export function around(messages, seq) {
  const at = indexOf(messages, seq);
  return { from: from(messages, at - STEP), until: until(messages, at + STEP) };
}

/** @param {Message[]} messages @param {Bounds} bounds @returns {Bounds} */
export function earlier(messages, bounds) {
  const start = Math.max(0, startOf(messages, bounds) - STEP);
  const tooMany = endOf(messages, bounds) - start > MOST;
  return { from: from(messages, start), until: tooMany ? until(messages, start + MOST) : bounds.until };
}

/** @param {Message[]} messages @param {Bounds} bounds @returns {Bounds} */
export function later(messages, bounds) {
  const end = Math.min(messages.length, endOf(messages, bounds) + STEP);
  const tooMany = end - startOf(messages, bounds) > MOST;
  return { from: tooMany ? from(messages, end - MOST) : bounds.from, until: until(messages, end) };
}

/**
 * The first that is loaded is kept back while there is more before it: whether a day or a sender begins with it is not
 * known yet, and a row that changes its look moves the others.
 * @param {Message[]} messages @param {Bounds} bounds @param {boolean} [hasBefore]
 */
export function within(messages, bounds, hasBefore = false) {
  const from = startOf(messages, bounds);
  const end = endOf(messages, bounds);
  const start = hasBefore && messages.length > 1 ? Math.max(1, from) : from;
  return {
    items: messages.slice(start, end),
    before: messages[start - 1] ?? null,
    hidesBefore: from > 0,
    hidesAfter: end < messages.length,
  };
}

/** @param {Message[]} messages @param {number} index */
const from = (messages, index) => (index <= 0 ? 0 : (messages[index]?.seq ?? 0));

/** The end itself is followed. @param {Message[]} messages @param {number} end  its index, exclusive */
const until = (messages, end) => (end >= messages.length ? null : (messages[end - 1]?.seq ?? null));

/** @param {Message[]} messages @param {Bounds} bounds */
const startOf = (messages, bounds) => (bounds.from ? indexOf(messages, bounds.from) : 0);

/** @param {Message[]} messages @param {Bounds} bounds */
const endOf = (messages, bounds) => (bounds.until == null ? messages.length : indexOf(messages, bounds.until + 1));

/** Where the first message at or after a position is; those without a position come last. @param {Message[]} messages @param {number} seq */
function indexOf(messages, seq) {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle].seq ?? Infinity) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
