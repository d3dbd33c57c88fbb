import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Failure, unanswered } from "../../app/static/js/realtime/failure.js";
import { Outbox, UNHEARD_AFTER_MS } from "../../app/static/js/realtime/outbox.js";
import { memoryStore } from "../../app/static/js/realtime/outboxStore.js";
import { FakeClock, settled } from "./support/clock.js";
import { ALICE, message, provisional } from "./support/messages.js";

let clock, kept, sent, answer, outbox;

beforeEach(() => {
  clock = new FakeClock();
  kept = new Map();
  sent = [];
  answer = async (payload) => accepted(payload);
  outbox = newOutbox();
  outbox.online();
});

function newOutbox() {
  return new Outbox({
    actorId: ALICE.id,
    store: memoryStore(kept),
    clock,
    random: () => 1,
    send: (payload) => {
      sent.push(payload);
      return answer(payload);
    },
  });
}

const copy = (payload) => ({ id: `id-${payload.content}`, sender: ALICE, senderId: ALICE.id, ...payload });
const accepted = (payload) => provisional(`id-${payload.content}`, copy(payload));
const persisted = (payload) => message(1, { ...copy(payload), persisted: true });
const add = (content, conversationId = "c1") => outbox.add({ conversationId, content });
const contents = () => sent.map(({ content }) => content);
const states = () => outbox.of("c1").map(({ content, state }) => `${content} ${state}`);

test("a message is kept before it is tried, under an id that never changes", async () => {
  let atFirstTry;
  answer = async (payload) => {
    atFirstTry ??= [...kept.keys()];
    throw unanswered();
  };
  const { clientMessageId } = add("one");
  await settled();
  assert.deepEqual(atFirstTry, [clientMessageId]);
  await clock.advance(60_000);
  assert.ok(sent.length > 1);
  assert.deepEqual(new Set(sent.map((payload) => payload.clientMessageId)), new Set([clientMessageId]));
});

test("one is in flight for each conversation, and conversations do not wait for each other", async () => {
  const replies = [];
  answer = () => new Promise((resolve) => replies.push(resolve));
  add("one");
  add("two");
  add("elsewhere", "c2");
  await settled();
  assert.deepEqual(contents(), ["one", "elsewhere"]);
  replies[0](accepted(sent[0]));
  await settled();
  assert.deepEqual(contents(), ["one", "elsewhere", "two"]);
});

test("the next names the one before that is not known to be committed", async () => {
  const first = add("one");
  add("two");
  await settled();
  assert.equal(sent[0].afterClientMessageId, undefined);
  assert.equal(sent[1].afterClientMessageId, first.clientMessageId);
});

test("what is committed is named no more", async () => {
  answer = async (payload) => persisted(payload);
  add("one");
  add("two");
  await settled();
  assert.equal(sent[1].afterClientMessageId, undefined);
});

test("it stays until a committed copy is seen, on whatever path", async () => {
  add("one");
  await settled();
  assert.deepEqual(states(), ["one accepted"]);
  outbox.noted(persisted(sent[0]));
  assert.deepEqual(states(), []);
  await settled();
  assert.equal(kept.size, 0);
});

test("another sender's message with the same client id is not mine", async () => {
  add("one");
  await settled();
  outbox.noted({ ...persisted(sent[0]), senderId: "mallory" });
  assert.deepEqual(states(), ["one accepted"]);
});

test("without a connection it waits, then goes in order", async () => {
  outbox.offline();
  add("one");
  add("two");
  await clock.advance(5_000);
  assert.deepEqual(contents(), []);
  outbox.online();
  await settled();
  assert.deepEqual(contents(), ["one", "two"]);
});

test("after a reconnect all that is not known to be committed goes again, in order", async () => {
  add("one");
  add("two");
  await settled();
  outbox.offline();
  outbox.online();
  await settled();
  assert.deepEqual(contents(), ["one", "two", "one", "two"]);
});

test("a refusal for good fails that message and lets the next go", async () => {
  answer = async (payload) => {
    if (payload.content === "bad") {
      throw new Failure({ code: "invalid", message: "Invalid.", fields: { content: ["Too long."] } });
    }
    return accepted(payload);
  };
  add("bad");
  add("good");
  await settled();
  assert.deepEqual(states(), ["bad failed", "good accepted"]);
  assert.equal(outbox.of("c1")[0].problem, "Too long.");
  assert.equal(sent[1].afterClientMessageId, undefined, "the server knows nothing of a refused one");
});

test("a failed one can be tried again or thrown away", async () => {
  answer = async () => {
    throw new Failure({ code: "forbidden", message: "No." });
  };
  const one = add("one");
  const two = add("two");
  await settled();
  answer = async (payload) => persisted(payload);
  outbox.retry(one.clientMessageId);
  assert.equal(outbox.discard(two.clientMessageId).content, "two");
  await settled();
  assert.deepEqual(states(), []);
});

test("a passing refusal keeps the order and waits as long as the server asks", async () => {
  answer = async () => {
    throw new Failure({ code: "rate_limited", message: "Slow down.", temporary: true, retryAfter: 7 });
  };
  add("one");
  add("two");
  await settled();
  assert.deepEqual(states(), ["one queued", "two queued"]);
  answer = async (payload) => accepted(payload);
  await clock.advance(6_900);
  assert.deepEqual(contents(), ["one"]);
  await clock.advance(200);
  assert.deepEqual(contents(), ["one", "one", "two"]);
});

test("out of order: it goes again from the missing one", async () => {
  let lost = true;
  answer = async (payload) => {
    if (payload.content === "two" && lost) {
      lost = false;
      throw new Failure({ code: "out_of_order", message: "An earlier one is missing.", temporary: true });
    }
    return accepted(payload);
  };
  add("one");
  add("two");
  await clock.advance(1_000);
  assert.deepEqual(contents(), ["one", "two", "one", "two"]);
  assert.deepEqual(states(), ["one accepted", "two accepted"]);
});

test("an accepted one whose commit is not heard of is asked for again", async () => {
  add("one");
  await settled();
  answer = async (payload) => persisted(payload);
  await clock.advance(UNHEARD_AFTER_MS);
  assert.deepEqual(contents(), ["one", "one"]);
  assert.deepEqual(states(), []);
});

test("a commit that is seen before the ack is not forgotten by the ack", async () => {
  let reply;
  answer = () => new Promise((resolve) => (reply = resolve));
  add("one");
  await settled();
  outbox.noted(persisted(sent[0]));
  reply(accepted(sent[0]));
  await settled();
  assert.deepEqual(states(), []);
});

test("a page that comes back takes up what was left, in its order", async () => {
  outbox.offline();
  add("one");
  add("two");
  await settled();
  const later = newOutbox();
  await later.restore();
  later.online();
  await settled();
  assert.deepEqual(contents(), ["one", "two"]);
});

test("what another open page is still sending is left to it", async () => {
  outbox.offline();
  add("one");
  await settled();
  const later = new Outbox({ actorId: ALICE.id, store: memoryStore(kept), clock, tabId: "second", send: async () => {} });
  await later.restore(Promise.resolve((tabId) => tabId === ""));
  assert.deepEqual(later.of("c1"), []);
});

test("a new message after a reload stands behind the old ones, even when the clock went back", async () => {
  outbox.offline();
  add("one");
  await settled();
  clock.time -= 3_600_000;
  const later = newOutbox();
  await later.restore();
  later.add({ conversationId: "c1", content: "two" });
  assert.deepEqual(later.of("c1").map(({ content }) => content), ["one", "two"]);
});

test("an accepted message that could not be kept is shown as failed", async () => {
  add("one");
  await settled();
  outbox.refuse("id-one", "The database refused it.");
  assert.deepEqual(states(), ["one failed"]);
});

test("a disk that refuses does not stop the sending", async () => {
  outbox.store = { ...memoryStore(), put: () => Promise.reject(new Error("full")) };
  add("one");
  await settled();
  assert.deepEqual(contents(), ["one"]);
});

test("a disk that does not answer delays it, and no more", async () => {
  outbox.store = { all: () => new Promise(() => {}), put: () => new Promise(() => {}), remove: async () => {} };
  outbox.restore();
  add("one");
  await clock.advance(2_000);
  assert.deepEqual(contents(), ["one"]);
});

test("what was left goes before what is written while it is still being read", async () => {
  outbox.offline();
  add("one");
  await clock.advance(1_000);
  const later = newOutbox();
  const store = later.store;
  let answered;
  later.store = { ...store, all: async (id) => (await new Promise((resolve) => (answered = resolve)), store.all(id)) };
  const restored = later.restore();
  later.online();
  later.add({ conversationId: "c1", content: "two" });
  await settled();
  assert.deepEqual(contents(), []);
  answered();
  await restored;
  await settled();
  assert.deepEqual(contents(), ["one", "two"]);
});

test("what was thrown away while the store was being read does not come back", async () => {
  outbox.offline();
  const { clientMessageId } = add("one");
  await settled();
  const read = [...kept.values()];
  outbox.store = { ...memoryStore(kept), all: async () => read };
  outbox.discard(clientMessageId);
  await outbox.restore();
  outbox.online();
  await settled();
  assert.deepEqual([outbox.of("c1"), contents()], [[], []]);
});
