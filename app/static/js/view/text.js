// What can be said of a text without showing it.

/** True where a message is a few emoji and nothing else, which are then shown large. @param {string} content */
export function isOnlyEmoji(content) {
  return /^(?:(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2})[\u{FE0F}\u{200D}\p{Emoji_Modifier}]*\s*){1,6}$/u.test(content);
}

export const CONTENT_MAX = 4000;

/** The contract counts code points, not UTF-16 units. @param {string} content */
export const lengthOf = (content) => [...content].length;
