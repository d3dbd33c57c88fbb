// What is being named at the caret: a person (@), an emoji (:); and the text once it is chosen.

/** @typedef {{kind: "person" | "emoji", from: number, sought: string}} Asked */

const PERSON = /(?:^|[\s([{"'])@([\p{L}\p{N}_.-]{0,30})$/u;
const EMOJI = /(?:^|[\s(])(:[\p{L}\p{N}_+-]{2,30})$/u;

/** @param {string} text @param {number} caret @returns {Asked | null} */
export function askedAt(text, caret) {
  const before = text.slice(Math.max(0, caret - 40), caret);
  const person = PERSON.exec(before);
  if (person) return { kind: "person", from: caret - person[1].length - 1, sought: person[1].toLowerCase() };
  const emoji = EMOJI.exec(before);
  return emoji ? { kind: "emoji", from: caret - emoji[1].length, sought: emoji[1].slice(1).toLowerCase() } : null;
}

/** @param {string} text @param {number} from @param {number} caret @param {string} chosen */
export function completed(text, from, caret, chosen) {
  const rest = text.slice(caret);
  const space = /^\s/.test(rest) ? "" : " ";
  return { text: text.slice(0, from) + chosen + space + rest, caret: from + chosen.length + 1 };
}

/**
 * Those whose username or a word of whose name begins so; the best match first.
 * @template {{username: string | null, displayName: string}} P @param {P[]} people @param {string} sought
 */
export function peopleNamed(people, sought, most = 6) {
  const rank = (/** @type {P} */ { username, displayName }) => {
    if (username?.toLowerCase().startsWith(sought)) return 0;
    return displayName.toLowerCase().split(/\s+/).some((word) => word.startsWith(sought)) ? 1 : 2;
  };
  return people.filter((one) => one.username && rank(one) < 2).sort((a, b) => rank(a) - rank(b)).slice(0, most);
}
