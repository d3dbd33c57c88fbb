import assert from "node:assert/strict";
import { test } from "node:test";
import { rows } from "../../app/static/js/view/rows.js";
import { ALICE, BOB, message, provisional } from "./support/messages.js";

const at = (minute) => new Date(Date.parse("2026-03-01T09:00:00Z") + minute * 60_000).toISOString();
const said = (seq, sender, minute, changes = {}) =>
  message(seq, { sender, senderId: sender.id, createdAt: at(minute), ...changes });
const entry = (clientMessageId, changes = {}) => ({
  clientMessageId,
  conversationId: "c1",
  content: clientMessageId,
  replyToId: null,
  attachmentIds: [],
  metadata: {},
  createdAt: at(30),
  state: "queued",
  problem: null,
  ...changes,
});
const shown = (options) => rows({ messages: [], entries: [], actor: ALICE, newAfter: null, ...options });
const marks = (found) => found.map(({ isFirst, isNew }) => `${isFirst ? "first" : "next"}${isNew ? " new" : ""}`);

test("messages of one sender within five minutes stand together", () => {
  const messages = [said(1, BOB, 0), said(2, BOB, 4), said(3, ALICE, 4), said(4, BOB, 5), said(5, BOB, 11)];
  assert.deepEqual(marks(shown({ messages })), ["first", "next", "first", "first", "first"]);
});

test("a reply stands by itself, with what it answers", () => {
  assert.deepEqual(marks(shown({ messages: [said(1, BOB, 0), said(2, BOB, 1, { replyToId: "m1" })] })), ["first", "first"]);
});

test("each day begins with its name", () => {
  const messages = [said(1, BOB, 0), said(2, BOB, 1), said(3, BOB, 3 * 24 * 60)];
  const now = new Date(at(3 * 24 * 60 + 5));
  const days = shown({ messages, now }).map((row) => row.day);
  assert.equal(days[1], null);
  assert.equal(days[2], "Today");
  assert.match(days[0], /March|1/);
});

test("the line stands before the first that I have not read, never before my own", () => {
  const messages = [said(1, BOB, 0), said(2, ALICE, 1), said(3, BOB, 2), said(4, BOB, 3)];
  assert.deepEqual(marks(shown({ messages, newAfter: 1 })), ["first", "first", "first new", "next"]);
  assert.deepEqual(marks(shown({ messages, newAfter: null })), ["first", "first", "first", "next"]);
});

test("what waits stands at the end in the order of sending, once, and keeps its key when it is stored", () => {
  const mine = { sender: ALICE, senderId: ALICE.id };
  const entries = [entry("k-p", { state: "accepted" }), entry("k-q")];
  const before = shown({ messages: [said(1, BOB, 0), provisional("p", mine), provisional("other")], entries });
  assert.deepEqual(
    before.map((row) => row.message.clientMessageId),
    ["k1", "k-other", "k-p", "k-q"],
  );
  const after = shown({ messages: [said(1, BOB, 0), message(2, { ...mine, clientMessageId: "k-p" })], entries });
  assert.equal(after[1].entry, null);
  assert.equal(after[1].key, before[2].key);
});

test("another sender's client id neither hides mine nor takes its key", () => {
  const theirs = said(1, BOB, 0, { clientMessageId: "k-q" });
  const found = shown({ messages: [theirs], entries: [entry("k-q")] });
  assert.equal(found.length, 2);
  assert.notEqual(found[0].key, found[1].key);
});
