import assert from "node:assert/strict";
import { test } from "node:test";
import { isOnlyEmoji, lengthOf } from "../../app/static/js/view/text.js";

test("a few emoji alone are told from words and digits", () => {
  for (const text of ["👍", "👍🏽 🎉", "👨‍👩‍👧", "🇱🇺", "❤️"]) assert.ok(isOnlyEmoji(text), text);
  for (const text of ["", "1", "ok 👍", "#", "👍".repeat(7)]) assert.ok(!isOnlyEmoji(text), text);
});

test("length is counted as the contract counts it", () => {
  assert.equal(lengthOf("👍a"), 2);
});
