import assert from "node:assert/strict";
import { test } from "node:test";
import { isLong, mentionsIn, safeHref, tokensOf } from "../../app/static/js/view/markdown.js";

/** Every token of a text, flat: [type, raw]. */
function flat(tokens) {
  return tokens.flatMap((token) => [[token.type, token.raw], ...flat(token.tokens ?? []), ...flat(token.items ?? [])]);
}
const kinds = (text) => new Set(flat(tokensOf(text)).map(([type]) => type));
const links = (text) => flat(tokensOf(text)).filter(([type]) => type === "link").map(([, raw]) => raw);

test("Markdown is read as people write it", () => {
  assert.ok(kinds("**bold** and *slanted* and ~~gone~~ and `code`").isSupersetOf?.(new Set(["strong", "em", "del", "codespan"])) ?? true);
  const [code] = tokensOf("```js\nlet a = 1;\n```");
  assert.deepEqual([code.type, code.lang, code.text], ["code", "js", "let a = 1;"]);
  assert.ok(kinds("- [ ] one\n- two").has("list"));
  assert.ok(kinds("> said").has("blockquote"));
});

test("what looks like markup and is none stays words", () => {
  for (const text of ["<b>bold</b>", "2*3*4 = 24", "snake_case_name", "    indented", "[a]: https://x.org/", "one\n===", "&lt;b&gt;"]) {
    const found = kinds(text);
    for (const kind of ["html", "em", "strong", "code", "def", "heading"]) assert.ok(!found.has(kind), `${text} has ${kind}`);
    assert.equal(tokensOf(text).map(({ raw }) => raw).join(""), text, "nothing of it is lost");
  }
});

test("addresses become links, without what ends the sentence", () => {
  assert.deepEqual(links("See https://example.org/a?b=1, and (http://x.org/y)."), ["https://example.org/a?b=1", "http://x.org/y"]);
});

test("only the web and mail lead anywhere", () => {
  for (const link of ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "//x.org", "\u0001javascript:alert(1)"]) {
    assert.equal(safeHref(link), null, link);
  }
  assert.equal(safeHref("https://x.org/a"), "https://x.org/a");
});

test("hostile nesting is read in time, or as words", () => {
  for (const bomb of [">".repeat(4000), "[".repeat(4000), "*a ".repeat(1300), "_a_".repeat(1300), "- ".repeat(2000), "`".repeat(4000)]) {
    const began = performance.now();
    assert.equal(typeof tokensOf(bomb)[0].raw, "string");
    assert.ok(performance.now() - began < 2_000);
  }
});

test("mentions are found where the server finds them", () => {
  const named = (text) => mentionsIn(text).filter(({ username }) => username).map(({ username }) => username);
  assert.deepEqual(named("@Ann, (@ben.bolt) me@x.org @x@y https://a/@z @c."), ["ann", "ben.bolt", "c"]);
  assert.equal(mentionsIn("a @b c").map(({ text }) => text).join(""), "a @b c");
});

test("only what is long is folded", () => {
  assert.ok(isLong("x".repeat(1500)) && isLong("a\n".repeat(40)));
  assert.ok(!isLong("a\n".repeat(5)) && !isLong("x".repeat(800)));
});
