import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Timeline } from "../../app/static/js/realtime/timeline.js";
import { message, page, provisional } from "./support/messages.js";

let timeline;
const shown = () => timeline.messages.map(({ id }) => id);
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => message(from + index));

beforeEach(() => {
  timeline = new Timeline("c1");
});

test("nothing is shown before the first page, and what arrived meanwhile is part of it", () => {
  timeline.put(message(3));
  assert.deepEqual(shown(), []);
  timeline.load(page(range(1, 2)));
  assert.deepEqual(shown(), ["m1", "m2", "m3"]);
});

test("messages stand by the position of their creation, provisional ones at the end", () => {
  timeline.load(page([]));
  timeline.put(provisional("p2", { createdAt: "2026-03-01T11:00:02.000Z" }));
  timeline.put(provisional("p1", { createdAt: "2026-03-01T11:00:01.000Z" }));
  timeline.putAll([message(2), message(1)]);
  assert.deepEqual(shown(), ["m1", "m2", "p1", "p2"]);
});

test("the last change wins, whatever comes after it", () => {
  timeline.load(page([message(1)]));
  timeline.put(message(1, { changedSeq: 3, content: "newer" }));
  timeline.put(message(1, { changedSeq: 2, content: "older" }));
  assert.equal(timeline.get("m1").content, "newer");
});

test("a provisional copy never replaces a final one, a final one always a provisional one", () => {
  timeline.load(page([]));
  timeline.put(provisional("m9", { content: "first" }));
  timeline.put(message(9, { content: "final" }));
  timeline.put(provisional("m9", { content: "late" }));
  assert.equal(timeline.get("m9").content, "final");
  assert.deepEqual(shown(), ["m9"]);
});

test("a withdrawn provisional message goes; a final one stays", () => {
  timeline.load(page([message(1)]));
  timeline.put(provisional("p"));
  timeline.withdraw("p");
  timeline.withdraw("m1");
  assert.deepEqual(shown(), ["m1"]);
});

test("applying the same event twice changes nothing", () => {
  timeline.load(page([message(1)]));
  let changes = 0;
  timeline.on("change", () => (changes += 1));
  timeline.put(message(2));
  timeline.put(message(2));
  assert.equal(changes, 1);
});

test("older pages extend the window; a change that came before its page is not undone by it", () => {
  timeline.load(page(range(11, 20), { hasBefore: true }));
  timeline.put(message(5, { changedSeq: 21, content: "edited" }));
  assert.equal(shown()[0], "m11");
  timeline.prepend(page(range(1, 10), { upToSeq: 20 }));
  assert.deepEqual(shown().length, 20);
  assert.equal(timeline.get("m5").content, "edited");
});

test("a window that does not reach the head does not show what is new", () => {
  timeline.load(page(range(1, 5), { hasAfter: true, upToSeq: 50 }));
  timeline.put(message(51));
  timeline.put(provisional("p"));
  assert.equal(shown().at(-1), "m5");
  timeline.append(page(range(6, 50), { hasBefore: true, hasAfter: false }));
  assert.deepEqual(shown().slice(-2), ["m51", "p"]);
});

test("a reply tells its root's count", () => {
  timeline.load(page([message(1)]));
  timeline.put(message(2, { threadRootId: "m1", replyToId: "m1", rootReplyCount: 1 }));
  assert.equal(timeline.get("m1").replyCount, 1);
});

test("an older count never replaces a newer one, whichever way it comes", () => {
  timeline.load(page([message(1)]));
  timeline.put(message(4, { threadRootId: "m1", rootReplyCount: 3 }));
  timeline.put(message(2, { threadRootId: "m1", rootReplyCount: 1 }));
  assert.equal(timeline.get("m1").replyCount, 3);
  timeline.put(message(1, { changedSeq: 3, content: "edited", replyCount: 2 }));
  assert.equal(timeline.get("m1").content, "edited");
  assert.equal(timeline.get("m1").replyCount, 3);
});

test("a reply that is edited later repeats the count of its coming, and that is no news", () => {
  timeline.load(page([message(1)]));
  timeline.put(message(2, { threadRootId: "m1", rootReplyCount: 1 }));
  timeline.put(message(3, { threadRootId: "m1", rootReplyCount: 2 }));
  timeline.put(message(2, { changedSeq: 4, threadRootId: "m1", rootReplyCount: 1, content: "edited" }));
  assert.equal(timeline.get("m1").replyCount, 2);
  timeline.put(message(2, { changedSeq: 5, threadRootId: "m1", rootReplyCount: 1, content: "", deletedAt: "2026-03-01T12:00:00.000Z" }));
  assert.equal(timeline.get("m1").replyCount, 1, "its going is");
});

test("a count heard before its root is loaded is kept for it", () => {
  timeline.load(page(range(11, 12), { hasBefore: true }));
  timeline.put(message(13, { threadRootId: "m1", rootReplyCount: 7 }));
  timeline.prepend(page([message(1, { replyCount: 6 })], { upToSeq: 12 }));
  assert.equal(timeline.get("m1").replyCount, 7);
});

test("a fresh page corrects the count of a message that did not change itself", () => {
  timeline.load(page([message(1)]));
  timeline.load(page([message(1, { replyCount: 2 })], { upToSeq: 9 }));
  assert.equal(timeline.get("m1").replyCount, 2);
});
