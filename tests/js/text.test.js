import assert from "node:assert/strict";
import { test } from "node:test";
import { isOnlyEmoji, lengthOf, pieces } from "../../app/static/js/view/text.js";

const links = (text) => pieces(text).filter(({ href }) => href).map(({ text: shown }) => shown);

test("addresses become links, without what ends the sentence", () => {
  assert.deepEqual(links("See https://example.org/a?b=1, and (http://x.org/y_(z))."), [
    "https://example.org/a?b=1",
    "http://x.org/y_(z)",
  ]);
  assert.deepEqual(links("“https://example.org/”!"), ["https://example.org/"]);
});

test("nothing of the text is lost, whatever is in it", () => {
  for (const text of ["", "https://", "a https://b.c d https://e.f.", "<b>https://x.org/<i>", "\n\n https://x.org\n"]) {
    assert.equal(pieces(text).map((piece) => piece.text).join(""), text);
  }
});

test("only http and https lead anywhere", () => {
  assert.deepEqual(links("javascript:alert(1) data:text/html,x ftp://x.org file:///etc/passwd xhttps://x.org"), []);
});

test("a few emoji alone are told from words and digits", () => {
  for (const text of ["👍", "👍🏽 🎉", "👨‍👩‍👧", "🇱🇺", "❤️"]) assert.ok(isOnlyEmoji(text), text);
  for (const text of ["", "1", "ok 👍", "#", "👍".repeat(7)]) assert.ok(!isOnlyEmoji(text), text);
});

test("length is counted as the contract counts it", () => {
  assert.equal(lengthOf("👍a"), 2);
});
