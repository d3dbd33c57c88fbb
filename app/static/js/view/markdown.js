// A message's words as a tree of marked's tokens. Nothing here makes HTML: `elements/richText.js` turns tokens into elements.
//
// Less than CommonMark on purpose: in a chat, words must not vanish or change their look by accident. So HTML is
// words, indentation is no code, "[a]: b" no definition, a line of dashes makes no heading, and 2*3*4 is arithmetic.

import { Marked } from "marked";

const literal = /** @type {() => undefined} */ (() => undefined);
const WORD_END = /[\p{L}\p{N}]$/u;

const marked = new Marked({ gfm: true, breaks: true });
marked.use({
  tokenizer: {
    html: literal,
    tag: literal,
    code: literal,
    def: literal,
    lheading: literal,
    emStrong: (_source, _masked, before) => (WORD_END.test(before ?? "") ? undefined : false),
  },
});

/** @param {string} content @returns {any[]} tokens; what cannot be read is one plain paragraph */
export function tokensOf(content) {
  try {
    return marked.lexer(content);
  } catch {
    // Thousands of nested quotes overflow the reader's stack.
    return [{ type: "paragraph", raw: content, text: content, tokens: [{ type: "text", raw: content, text: content }] }];
  }
}

/** @param {string} link @returns {string | null} where it leads, if that is somewhere a link may lead */
export function safeHref(link) {
  try {
    const url = new URL(link);
    return ["https:", "http:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** As the server finds them: `@name`, not within a word or an address. */
const MENTION = /(?<![\p{L}\p{N}_@./-])@([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,28}[A-Za-z0-9_])?)(?![\p{L}\p{N}_@])/gu;

/** @param {string} text @returns {{text: string, username?: string}[]} */
export function mentionsIn(text) {
  const found = [];
  let end = 0;
  for (const match of text.matchAll(MENTION)) {
    if (match.index > end) found.push({ text: text.slice(end, match.index) });
    found.push({ text: match[0], username: match[1].toLowerCase() });
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push({ text: text.slice(end) });
  return found;
}

/** A message in one line, without its marks: for quotes. @param {string} content */
export function gist(content) {
  const words = (/** @type {any} */ { tokens, items, text, raw }) => {
    const within = tokens ?? items;
    return within ? within.map(words).join("") : (text ?? raw);
  };
  return tokensOf(content.slice(0, 400)).map(words).join(" ").replace(/\s+/g, " ").trim();
}

const FOLD_CHARACTERS = 1_400;
const FOLD_LINES = 22;

/** True where a message is so long that only its beginning is shown at first. @param {string} content */
export function isLong(content) {
  return content.length > FOLD_CHARACTERS || content.split("\n", FOLD_LINES + 1).length > FOLD_LINES;
}
