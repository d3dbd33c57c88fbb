import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStore } from "../../app/static/js/realtime/outboxStore.js";
import { Session } from "../../app/static/js/realtime/session.js";
import { FakeClock, settled } from "./support/clock.js";
import { random } from "./support/random.js";
import { ALICE, BOB, FakeConnection, ReferenceServer } from "./support/server.js";

const STEPS = 120;
const HISTORIES = 60;

// I6 and I7 for the browser: whatever the wire loses, repeats, delays and reorders, in the end the page shows
// what a fresh page would show, every message once and in order.
for (let seed = 1; seed <= HISTORIES; seed += 1) {
  test(`history ${seed} ends as a fresh load`, () => run(seed));
}

async function run(seed) {
  const chance = random(seed);
  const pick = (list) => list[Math.floor(chance() * list.length)];
  const clock = new FakeClock();
  const server = new ReferenceServer(["c1"]);
  const late = () => new Promise((resolve) => clock.after(resolve, Math.floor(chance() * 400)));
  const connection = new FakeConnection(server, { late });
  const session = new Session({ api: connection.api(), connection, actor: ALICE, outboxStore: memoryStore(), clock });
  session.outbox.random = chance;
  for (let index = 0; index < 60; index += 1) server.send("c1", pick([ALICE, BOB]));
  session.prime({ items: [server.conversation("c1")], nextCursor: null });

  /** Loses, repeats and delays. */
  const tell = (name, event) => {
    if (chance() < 0.2) return;
    const times = chance() < 0.15 ? 2 : 1;
    for (let copy = 0; copy < times; copy += 1) {
      const delay = chance() < 0.3 ? Math.floor(chance() * 600) : 0;
      clock.after(() => connection.carry(name, event), delay);
    }
  };
  const anyMessage = () => pick([...server.rooms.get("c1").messages.values()]);
  const change = (changes) => {
    const event = server.change("c1", anyMessage().id, changes);
    if (event) tell("message:changed", event);
  };
  const steps = [
    () => tell("message", server.send("c1", BOB, { content: `b${chance()}` })),
    () => tell("message", server.send("c1", BOB, { content: "reply", replyToId: anyMessage().id })),
    () => session.send({ conversationId: "c1", content: `a${chance()}` }),
    () => change({ content: `edited ${chance()}`, isEdited: true }),
    () => change({ content: "", deletedAt: "2026-03-01T12:00:00.000Z" }),
    () => change({ reactions: [{ emoji: "👍", count: 1, reactorIds: [BOB.id] }] }),
    () => (connection.up ? connection.cut() : connection.connect()),
    () => void session.open("c1").catch(() => {}),
    () => void session.older("c1").catch(() => {}),
    () => void session.newer("c1").catch(() => {}),
    () => void (session.archive.holds("c1") && session.archive.around("c1", 1 + Math.floor(chance() * 60)).catch(() => {})),
    () => void (session.archive.holds("c1") && session.archive.reload("c1").catch(() => {})),
    () => clock.advance(Math.floor(chance() * 1_000)),
  ];
  connection.connect();
  for (let step = 0; step < STEPS; step += 1) {
    await pick(steps)();
    await settled();
    assertInOrder(session.archive.timeline("c1").messages);
  }
  if (!connection.up) connection.connect();
  session.open("c1").catch(() => {});
  await clock.advance(60_000);
  connection.carry("heads", server.heads());
  await clock.advance(120_000);
  while (session.archive.timeline("c1").hasBefore) {
    session.older("c1");
    await clock.advance(1_000);
  }
  while (session.archive.timeline("c1").hasAfter) {
    session.newer("c1");
    await clock.advance(1_000);
  }

  const shown = session.archive.timeline("c1").messages.map(visible);
  assert.deepEqual(shown, server.rows("c1").map(visible));
  assert.deepEqual(session.outbox.of("c1"), []);
  assert.equal(session.conversations.get("c1").unreadCount, Math.min(100, server.unread("c1")));
  assert.equal(session.conversations.get("c1").lastMessage.id, server.rows("c1").at(-1).id);
}

/** All that a reader can see of a message: not which position its reply count came with. */
function visible({ rootReplyCount, changedSeq, ...message }) {
  return message;
}

function assertInOrder(messages) {
  const seqs = messages.map(({ seq }) => seq ?? Infinity);
  for (let index = 1; index < seqs.length; index += 1) assert.ok(seqs[index - 1] <= seqs[index], "in order");
  assert.equal(new Set(messages.map(({ id }) => id)).size, messages.length, "each once");
}
