// Plain text with its links found. Nothing here makes HTML: pieces become text nodes and link elements.

/** @typedef {{text: string, href?: string}} Piece */

const LINK = /\bhttps?:\/\/[^\s<>"']+/giu;
/** What ends a sentence does not belong to a link. */
const TRAILING = /[.,;:!?'"»”’\]]+$/u;

/** @param {string} content @returns {Piece[]} */
export function pieces(content) {
  /** @type {Piece[]} */
  const found = [];
  let end = 0;
  for (const match of content.matchAll(LINK)) {
    const text = trimmed(match[0]);
    const href = safeHref(text);
    if (!href) continue;
    if (match.index > end) found.push({ text: content.slice(end, match.index) });
    found.push({ text, href });
    end = match.index + text.length;
  }
  if (end < content.length) found.push({ text: content.slice(end) });
  return found;
}

/** @param {string} link */
function trimmed(link) {
  let text = link.replace(TRAILING, "");
  while (text.endsWith(")") && text.split(")").length > text.split("(").length) text = text.slice(0, -1).replace(TRAILING, "");
  return text;
}

/** @param {string} link @returns {string | null} */
function safeHref(link) {
  try {
    const url = new URL(link);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/** True where a message is a few emoji and nothing else, which are then shown large. @param {string} content */
export function isOnlyEmoji(content) {
  return /^(?:(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2})[\u{FE0F}\u{200D}\p{Emoji_Modifier}]*\s*){1,6}$/u.test(content);
}

export const CONTENT_MAX = 4000;

/** The contract counts code points, not UTF-16 units. @param {string} content */
export const lengthOf = (content) => [...content].length;
