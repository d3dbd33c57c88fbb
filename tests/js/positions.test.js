import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Positions } from "../../app/static/js/realtime/positions.js";
import { FakeClock, settled } from "./support/clock.js";

let clock, applied, healed, positions, answer;

beforeEach(() => {
  clock = new FakeClock();
  applied = [];
  healed = [];
  answer = async (_id, position) => position;
  positions = new Positions({
    clock,
    apply: (_id, change) => applied.push(change.changedSeq),
    heal: (id, position) => {
      healed.push(position);
      return answer(id, position);
    },
  });
});

const offer = (...seqs) => seqs.forEach((changedSeq) => positions.offer("c", { changedSeq }));

test("the next change is applied at once", () => {
  positions.restart("c", 5);
  offer(6, 7);
  assert.deepEqual(applied, [6, 7]);
  assert.equal(positions.at("c"), 7);
});

test("a lower one is a repeat and changes nothing", () => {
  positions.restart("c", 5);
  offer(5, 3, 6, 6);
  assert.deepEqual(applied, [6]);
});

test("changes that overtook each other are applied in order, without asking the server", async () => {
  positions.restart("c", 0);
  offer(3, 2, 1);
  await clock.advance(1_000);
  assert.deepEqual(applied, [1, 2, 3]);
  assert.deepEqual(healed, []);
});

test("a gap waits 300 ms for the missing change, then asks", async () => {
  positions.restart("c", 0);
  offer(1, 3);
  answer = async () => 3;
  await clock.advance(299);
  assert.deepEqual(healed, []);
  await clock.advance(1);
  assert.deepEqual(healed, [1]);
  assert.equal(positions.at("c"), 3);
  assert.deepEqual(applied, [1], "what the answer covered is not applied a second time");
  assert.ok(positions.isComplete("c"));
});

test("changes that arrive while it asks are applied after the answer", async () => {
  positions.restart("c", 0);
  offer(2);
  let reply;
  answer = () => new Promise((resolve) => (reply = resolve));
  await clock.advance(300);
  offer(3, 4);
  reply(2);
  await settled();
  assert.deepEqual(applied, [3, 4]);
});

test("a head beyond the position is a gap of the very last change", async () => {
  positions.restart("c", 4);
  answer = async () => 6;
  positions.heardOfHead("c", 6);
  await clock.advance(300);
  assert.deepEqual(healed, [4]);
  assert.equal(positions.at("c"), 6);
});

test("an answer that does not come is asked for again, and at once after a reconnect", async () => {
  positions.restart("c", 0);
  offer(2);
  answer = async () => {
    throw new Error("offline");
  };
  await clock.advance(300);
  assert.equal(healed.length, 1);
  answer = async () => 2;
  positions.retryAll();
  await settled();
  assert.equal(positions.at("c"), 2);
  await clock.advance(60_000);
  assert.equal(healed.length, 2);
});

test("a fresh page of history may step back, and what lies between is fetched", async () => {
  positions.advance("c", 15);
  answer = async () => 15;
  positions.restart("c", 10);
  assert.equal(positions.at("c"), 10);
  await clock.advance(300);
  assert.deepEqual(healed, [10]);
  assert.equal(positions.at("c"), 15);
});

test("an answer to a question asked before the fresh page does not speak for it", async () => {
  let reply;
  answer = () => new Promise((resolve) => (reply = resolve));
  positions.heardOfHead("c", 15);
  await clock.advance(300);
  positions.restart("c", 10);
  reply(15);
  await settled();
  assert.equal(positions.at("c"), 10, "else 11 to 15 would be missing from the page");
});
