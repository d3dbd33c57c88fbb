import assert from "node:assert/strict";
import { test } from "node:test";
import { RealtimeMessagingManager } from "../../app/static/js/realtime/messaging.js";
import { memoryStore } from "../../app/static/js/realtime/outboxStore.js";
import { Session } from "../../app/static/js/realtime/session.js";
import { FakeClock } from "./support/clock.js";
import { ALICE, FakeConnection, ReferenceServer } from "./support/server.js";

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
