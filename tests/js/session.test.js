import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { memoryStore } from "../../app/static/js/realtime/outboxStore.js";
import { Session } from "../../app/static/js/realtime/session.js";
import { FakeClock, settled } from "./support/clock.js";
import { ALICE, BOB, FakeConnection, ReferenceServer } from "./support/server.js";

let clock, server, connection, session;

beforeEach(() => {
  clock = new FakeClock();
  server = new ReferenceServer(["c1", "c2"]);
  connection = new FakeConnection(server);
  session = newSession();
});

function newSession() {
  const made = new Session({ api: connection.api(), connection, actor: ALICE, outboxStore: memoryStore(), clock });
  made.prime({ items: ["c1", "c2"].map((id) => server.conversation(id)), nextCursor: null });
  return made;
}

const contents = () => session.archive.timeline("c1").messages.map(({ content }) => content);
const unreadOf = (id) => [session.conversations.get(id).readSeq, session.conversations.get(id).unreadCount];
const say = (content, id = "c1") => connection.carry("message", server.send(id, BOB, { content }));

test("a message of another is shown, counted as unread and reported as received", async () => {
  connection.connect();
  await session.open("c1");
  say("hello");
  assert.deepEqual(contents(), ["hello"]);
  assert.equal(session.conversations.get("c1").unreadCount, 1);
  await clock.advance(500);
  const [, received] = connection.requests.find(([name]) => name === "message:received");
  assert.deepEqual(received, { conversationId: "c1", seq: 1 });
});

test("what was said while away is there after the reconnect, once and in order", async () => {
  connection.connect();
  await session.open("c1");
  say("one");
  connection.cut();
  say("two");
  const three = server.send("c1", BOB, { content: "three" });
  server.change("c1", three.id, { content: "three, edited" });
  connection.connect();
  say("four");
  await clock.advance(1_000);
  assert.deepEqual(contents(), ["one", "two", "three, edited", "four"]);
  assert.equal(session.conversations.get("c1").unreadCount, 4);
});

test("what I wrote while away is sent after the reconnect, once", async () => {
  connection.connect();
  await session.open("c1");
  connection.cut();
  session.send({ conversationId: "c1", content: "one" });
  session.send({ conversationId: "c1", content: "two" });
  connection.connect();
  await clock.advance(2_000);
  assert.deepEqual(contents(), ["one", "two"]);
  assert.equal(session.outbox.of("c1").length, 0);
  assert.equal(session.conversations.get("c1").unreadCount, 0, "my own are not unread");
});

test("the very last event lost is noticed by the heads", async () => {
  connection.connect();
  await session.open("c1");
  server.send("c1", BOB, { content: "lost" });
  connection.carry("heads", server.heads());
  await clock.advance(400);
  assert.deepEqual(contents(), ["lost"]);
});

test("a conversation that was not opened keeps its last message and its count", async () => {
  connection.connect();
  say("one", "c2");
  server.send("c2", BOB, { content: "lost" });
  say("three", "c2");
  await clock.advance(1_000);
  const { unreadCount, lastMessage } = session.conversations.get("c2");
  assert.equal(unreadCount, 3);
  assert.equal(lastMessage.content, "three");
});

test("what has been seen is reported as read, the newest of a batch", async () => {
  connection.connect();
  await session.open("c1");
  say("one");
  say("two");
  for (const message of session.archive.timeline("c1").messages) session.reading.seen(message);
  assert.equal(session.conversations.get("c1").unreadCount, 0, "at once, not after the answer");
  await clock.advance(500);
  const reads = connection.requests.filter(([name]) => name === "message:read");
  assert.deepEqual(reads, [["message:read", { conversationId: "c1", messageId: "c1-2" }]]);
});

for (const [when, ms] of [["before what was seen is reported", 0], ["while the report is under way", 500]]) {
  test(`marked unread ${when}, it stays so`, async () => {
    connection.connect();
    await session.open("c1");
    for (const words of ["one", "two"]) say(words);
    const messages = session.archive.timeline("c1").messages;
    const answers = [];
    connection.late = () => new Promise((answer) => answers.push(answer));
    for (const message of messages) session.reading.seen(message);
    await clock.advance(ms);
    const marked = session.reading.markUnread(messages[1]);
    session.reading.seen(messages[1]); // it is still in sight
    await settled();
    assert.deepEqual(connection.requests.filter(([name]) => name.includes("read")).length, 1, "not before the report is answered");
    connection.late = () => Promise.resolve();
    answers.forEach((answer) => answer());
    await marked;
    await clock.advance(5_000);
    assert.deepEqual(
      connection.requests.map(([name]) => name).filter((name) => name.includes("read")),
      ["message:read", "/api/messages/mark-unread"],
    );
    const { readSeq, unreadCount } = session.conversations.get("c1");
    assert.deepEqual([readSeq, unreadCount, server.unread("c1")], [1, 1, 1]);
    session.reading.leave("c1");
    session.reading.seen(messages[1]);
    await clock.advance(500);
    assert.deepEqual([session.conversations.get("c1").unreadCount, server.unread("c1")], [0, 0]);
  });
}

test("an answer that is older than a mark unread does not undo it", async () => {
  connection.connect();
  await session.open("c1");
  session.reading.enter("c1");
  for (const words of ["one", "two"]) say(words);
  const messages = session.archive.timeline("c1").messages;
  session.reading.seen(messages[1]);
  await clock.advance(500);
  const answers = [];
  connection.late = () => new Promise((answer) => answers.push(answer));
  const asked = session.fetchConversation("c1");
  connection.late = () => Promise.resolve();
  await session.reading.markUnread(messages[1]);
  answers.forEach((answer) => answer());
  await asked;
  assert.deepEqual(unreadOf("c1"), [1, 1]);
  session.reading.leave("c1");
  session.reading.seen(messages[1]);
  await clock.advance(500);
  assert.deepEqual([...unreadOf("c1"), server.unread("c1")], [2, 0, 0], "and reading it again is told");
});

test("an answer that is older than what was seen since does not make it unread", async () => {
  connection.connect();
  await session.open("c1");
  say("one");
  const answers = [];
  connection.late = () => new Promise((answer) => answers.push(answer));
  const asked = session.fetchConversation("c1");
  connection.late = () => Promise.resolve();
  session.reading.seen(session.archive.timeline("c1").messages[0]);
  await clock.advance(500);
  answers.forEach((answer) => answer());
  await asked;
  assert.deepEqual(unreadOf("c1"), [1, 0]);
});

test("marked unread just before leaving, it is read when one comes back", async () => {
  connection.connect();
  await session.open("c1");
  session.reading.enter("c1");
  say("one");
  const [message] = session.archive.timeline("c1").messages;
  const marked = session.reading.markUnread(message);
  session.reading.leave("c1");
  await marked;
  connection.carry("unread", { conversationId: "c1", unreadCount: 1, mentionCount: 0, total: 1, readSeq: 0, isSetBack: true });
  session.reading.enter("c1");
  session.reading.seen(message);
  await clock.advance(500);
  assert.deepEqual([...unreadOf("c1"), server.unread("c1")], [1, 0, 0]);
});

test("a set back that was missed while away is learnt on return", async () => {
  connection.connect();
  await session.open("c1");
  say("one");
  session.reading.seen(session.archive.timeline("c1").messages[0]);
  await clock.advance(500);
  connection.cut();
  server.rooms.get("c1").readSeq = 0;
  connection.connect();
  await settled();
  assert.deepEqual(unreadOf("c1"), [0, 1]);
});

test("one who is removed while the conversation is being asked for does not get it back", async () => {
  connection.connect();
  const answers = [];
  connection.late = () => new Promise((answer) => answers.push(answer));
  const asked = session.fetchConversation("c2");
  server.rooms.delete("c2");
  connection.carry("conversation", { id: "c2", removed: true });
  answers.forEach((answer) => answer());
  assert.equal(await asked, null);
  assert.equal(session.conversations.get("c2"), undefined);
});

test("an earlier version does not replace a later one, nor an earlier wish a later one", async () => {
  connection.connect();
  session.took({ ...server.conversation("c1"), version: 3, title: "new" });
  session.took({ ...server.conversation("c1"), version: 2, title: "old" });
  assert.equal(session.conversations.get("c1").title, "new");
  const answers = [];
  session.api.put = (_path, wish) => new Promise((resolve) => answers.push(() => resolve({ conversation: { ...session.conversations.get("c1"), ...wish } })));
  session.configure("c1", { pinned: true });
  session.configure("c1", { muted: true });
  await settled();
  assert.equal(answers.length, 1, "one after the other");
  answers[0]();
  await settled();
  answers[1]();
  await settled();
  const { pinned, muted } = session.conversations.get("c1");
  assert.deepEqual([pinned, muted], [true, true]);
});

for (const first of ["older", "newer"]) {
  test(`a page that was asked for before another beginning leaves no hole (the ${first} answer first)`, async () => {
    for (let number = 0; number < 300; number += 1) server.send("c1", BOB, { content: `n${number}` });
    connection.connect();
    await session.open("c1");
    await session.archive.around("c1", 100);
    const answers = [];
    connection.late = () => new Promise((answer) => answers.push(answer));
    const older = session.older("c1");
    const latest = session.archive.reload("c1");
    for (const answer of first === "older" ? answers : answers.reverse()) {
      answer();
      await settled();
    }
    await Promise.all([older, latest]);
    const seqs = session.archive.timeline("c1").messages.map(({ seq }) => seq);
    assert.deepEqual(seqs, seqs.map((_, index) => seqs[0] + index));
    assert.equal(seqs.at(-1), 300);
  });
}

test("where one wanted to go last is where one is, whichever answer comes first", async () => {
  for (let number = 0; number < 300; number += 1) server.send("c1", BOB, { content: `n${number}` });
  connection.connect();
  await session.open("c1");
  const answers = [];
  connection.late = () => new Promise((answer) => answers.push(answer));
  const going = [session.archive.around("c1", 100), session.archive.reload("c1")];
  await settled();
  for (const answer of answers.reverse()) {
    answer();
    await settled();
  }
  await Promise.all(going);
  assert.equal(contents().at(-1), "n299");
});

test("what I mark unread on another device is unread here, also where I have the conversation before me", async () => {
  connection.connect();
  await session.open("c1");
  session.reading.enter("c1");
  for (const words of ["one", "two"]) say(words);
  session.reading.seen(session.archive.timeline("c1").messages[1]);
  await clock.advance(500);
  connection.carry("unread", { conversationId: "c1", unreadCount: 1, mentionCount: 0, total: 1, readSeq: 1, isSetBack: true });
  session.reading.seen(session.archive.timeline("c1").messages[1]);
  assert.equal(session.conversations.get("c1").unreadCount, 1);
  connection.carry("unread", { conversationId: "c1", unreadCount: 2, mentionCount: 0, total: 2, readSeq: 0 });
  assert.equal(session.conversations.get("c1").unreadCount, 1, "a lower one that was not set back is late news");
});

test("a conversation that is not mine any more goes", async () => {
  connection.connect();
  const gone = [];
  session.on("removed", (id) => gone.push(id));
  connection.carry("conversation", { id: "c1", removed: true });
  assert.deepEqual(gone, ["c1"]);
  server.rooms.delete("c2");
  connection.cut();
  connection.connect();
  await settled();
  assert.deepEqual(gone, ["c1", "c2"]);
});

test("a conversation that I was added to while away appears", async () => {
  server.rooms.set("c3", { head: 0, readSeq: 0, messages: new Map() });
  connection.connect();
  await settled();
  assert.ok(session.conversations.get("c3"));
});

test("a provisional message is shown at the end until its final copy comes, or it is withdrawn", async () => {
  connection.connect();
  await session.open("c1");
  const final = server.send("c1", BOB, { content: "slow" });
  connection.carry("message", { ...final, seq: null, changedSeq: null, persisted: false });
  assert.deepEqual(contents(), ["slow"]);
  connection.carry("message", final);
  assert.deepEqual(contents(), ["slow"]);
  connection.carry("message", { ...final, id: "p", clientMessageId: "p", content: "lost", seq: null, changedSeq: null, persisted: false });
  connection.carry("message:withdrawn", { id: "p", conversationId: "c1", reason: "refused" });
  assert.deepEqual(contents(), ["slow"]);
});

test("conversations opened long ago are let go, and come back whole", async () => {
  for (let number = 3; number <= 15; number += 1) server.rooms.set(`c${number}`, { head: 0, readSeq: 0, messages: new Map() });
  connection.connect();
  await settled();
  await session.open("c1");
  for (let number = 2; number <= 15; number += 1) await session.open(`c${number}`);
  assert.equal(session.archive.holds("c1"), false);
  assert.equal(session.archive.holds("c15"), true);
  say("meanwhile");
  assert.equal(session.conversations.get("c1").unreadCount, 1);
  await session.open("c1");
  assert.deepEqual(contents(), ["meanwhile"]);
});

test("after a very long absence a fresh page is loaded instead of everything", async () => {
  connection.connect();
  await session.open("c1");
  connection.cut();
  for (let index = 0; index < 5_100; index += 1) server.send("c1", BOB, { content: `n${index}` });
  connection.connect();
  await clock.advance(1_000);
  assert.equal(contents().at(-1), "n5099");
  assert.equal(session.positions.at("c1"), 5_100);
});
