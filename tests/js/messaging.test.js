import assert from "node:assert/strict";
import { test } from "node:test";
import { RealtimeMessagingManager } from "../../app/static/js/realtime/messaging.js";
import { memoryStore } from "../../app/static/js/realtime/outboxStore.js";
import { Session } from "../../app/static/js/realtime/session.js";
import { FakeClock } from "./support/clock.js";
import { ALICE, BOB, FakeConnection, ReferenceServer } from "./support/server.js";

function manager() {
  const connection = new FakeConnection(new ReferenceServer(["c1"]));
  const session = new Session({ api: connection.api(), connection, actor: ALICE, outboxStore: memoryStore(), clock: new FakeClock() });
  return new RealtimeMessagingManager({ session });
}

test("staff and customer subscriptions hand over messages of support conversations only, each once", () => {
  const made = manager();
  const heard = [];
  made.subscribeToStaffMessages("u1", { onMessage: ({ id }) => heard.push(id) });
  for (const [id, senderType] of [["1", "customer"], ["2", "user"], ["3", "staff"]]) made.session.emit("message", { id, senderType });
  assert.deepEqual(heard, ["1", "3"]);
  made.unsubscribeAll();
  made.session.emit("message", { id: "4", senderType: "customer" });
  assert.deepEqual(heard, ["1", "3"]);
});

test("one packet that tells of many people is handed over as one event for each", () => {
  const made = manager();
  const heard = [];
  made.subscribeToConversation("c1", { onPresence: ({ userId, more }) => heard.push([userId, more]) });
  const person = (userId) => ({ id: `p-${userId}`, userId, customerId: null, status: "online", lastSeenAt: null, metadata: {} });
  made.session.connection.connect();
  made.session.connection.carry("presence", { ...person("a"), more: [person("b"), person("c")] });
  assert.deepEqual(heard.map(([userId]) => userId), ["a", "b", "c"]);
  assert.equal(made.session.people.isOnline("c"), true);
});

/** Conversation c1 with a message in it, and a subscriber who is connected. */
async function follower() {
  const made = manager();
  const { session } = made;
  const { connection, positions } = session;
  const heard = [];
  connection.server.send("c1", BOB, { content: "before" });
  connection.connect();
  const channel = made.subscribeToConversation("c1", { onMessage: ({ content }) => heard.push(content) });
  await positions.clock.advance(10_000);
  return { made, session, connection, positions, channel, heard };
}

test("a message is handed over though an answer told of the conversation's head before it came", async () => {
  const { session, connection, positions, heard } = await follower();
  const late = connection.server.send("c1", BOB, { content: "late" });
  await session.fetchConversation("c1");
  connection.carry("message", late);
  await positions.clock.advance(10_000);
  assert.deepEqual(heard, ["late"]);
});

test("what was said while the connection was lost is handed over on return, in order and once", async () => {
  const { made, connection, positions, channel, heard } = await follower();
  connection.cut();
  for (const content of ["one", "two", "three"]) connection.server.send("c1", BOB, { content });
  connection.connect();
  await positions.clock.advance(10_000);
  assert.deepEqual(heard, ["one", "two", "three"]);
  made.unsubscribe(channel);
  connection.cut();
  connection.server.send("c1", BOB, { content: "to nobody" });
  connection.connect();
  await positions.clock.advance(10_000);
  assert.deepEqual(heard, ["one", "two", "three"]);
});
