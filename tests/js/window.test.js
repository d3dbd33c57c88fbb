import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST, STEP, around, earlier, later, newest, within } from "../../app/static/js/view/window.js";

/** Positions have gaps (edits take some), and the newest message may be provisional. */
const history = (count) => [...Array.from({ length: count }, (_, index) => ({ seq: index * 2 + 1 })), { seq: null }];
const shown = (messages, bounds) => within(messages, bounds).items;

test("the newest are shown at first, to the end, which is followed", () => {
  const messages = history(1000);
  const bounds = newest(messages);
  assert.equal(shown(messages, bounds).length, 2 * STEP);
  assert.equal(shown(messages, bounds).at(-1).seq, null);
  messages.push({ seq: null });
  assert.equal(shown(messages, bounds).length, 2 * STEP + 1);
});

test("going up and down shows everything, never more than the most at once", () => {
  const messages = history(5000);
  const seen = new Set();
  let bounds = newest(messages);
  while (within(messages, bounds).hidesBefore) {
    for (const { seq } of shown(messages, bounds)) seen.add(seq);
    bounds = earlier(messages, bounds);
    assert.ok(shown(messages, bounds).length <= MOST);
  }
  for (const { seq } of shown(messages, bounds)) seen.add(seq);
  assert.equal(seen.size, 5001);
  while (within(messages, bounds).hidesAfter) {
    const last = shown(messages, bounds).at(-1);
    bounds = later(messages, bounds);
    assert.ok(shown(messages, bounds).length <= MOST);
    assert.ok(shown(messages, bounds).includes(last), "what was looked at stays");
  }
  assert.equal(bounds.until, null, "the end is followed again");
});

test("around a position both sides are shown, also at the ends and between two messages", () => {
  const messages = history(1000);
  for (const seq of [1, 2, 900, 1998, 1999]) {
    const list = shown(messages, around(messages, seq));
    const at = list.findIndex((one) => (one.seq ?? Infinity) >= seq);
    assert.ok(at >= 0 && list.length >= STEP && list.length <= 2 * STEP + 1, String(seq));
  }
});

test("a short history is shown whole", () => {
  const messages = history(3);
  assert.deepEqual(newest(messages), { from: 0, until: null });
  assert.equal(within(messages, newest(messages)).before, null);
  assert.deepEqual(within([], newest([])).items, []);
});

test("the first that is loaded waits for what is before it, so that no row changes its look", () => {
  const messages = history(10);
  const { items, before, hidesBefore } = within(messages, newest(messages), true);
  assert.equal(before, messages[0]);
  assert.equal(items[0], messages[1]);
  assert.equal(hidesBefore, false, "more must be fetched");
});
