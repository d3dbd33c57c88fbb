import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../../app/static/js/realtime/backoff.js";

test("the ceiling doubles up to the most, and the delay is anything below it", () => {
  const slowest = new Backoff({ firstMs: 100, mostMs: 1_000, random: () => 1 });
  assert.deepEqual([1, 2, 3, 4, 5, 6].map(() => slowest.next()), [100, 200, 400, 800, 1_000, 1_000]);
  const quickest = new Backoff({ random: () => 0 });
  assert.equal(quickest.next(), 0);
});

test("after a reset it begins again", () => {
  const backoff = new Backoff({ firstMs: 100, random: () => 1 });
  backoff.next();
  backoff.next();
  backoff.reset();
  assert.equal(backoff.next(), 100);
});
