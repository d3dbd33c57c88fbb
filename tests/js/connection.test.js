import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Backoff } from "../../app/static/js/realtime/backoff.js";
import { Connection } from "../../app/static/js/realtime/connection.js";
import { FakeClock } from "./support/clock.js";

/** The part of a socket.io-client socket that the connection uses. */
class FakeSocket {
  constructor() {
    this.connected = false;
    this.tries = 0;
    this.handlers = {};
    this.emitted = [];
  }

  on = (name, handler) => void (this.handlers[name] = handler);
  onAny = (handler) => void (this.any = handler);
  connect = () => void (this.tries += 1);
  disconnect = () => void (this.connected = false);
  timeout = () => ({ emit: (name, payload, done) => this.emitted.push({ name, payload, done }) });

  accept() {
    this.connected = true;
    this.any("ready", { conversations: [] });
  }

  drop() {
    this.connected = false;
    this.handlers.disconnect("transport close");
  }

  refuse(error) {
    this.handlers.connect_error(error);
  }
}

let clock, socket, connection, states;

beforeEach(() => {
  clock = new FakeClock();
  socket = new FakeSocket();
  states = [];
  const backoff = new Backoff({ firstMs: 1_000, random: () => 1 });
  connection = new Connection({ open: () => socket, clock, backoff });
  connection.on("state", (state) => states.push(state));
  connection.start();
});

test("it is online when the server says ready, not before", () => {
  assert.deepEqual(states, ["connecting"]);
  socket.accept();
  assert.deepEqual(states, ["connecting", "online"]);
});

test("a lost connection comes back by itself, later at each failure", async () => {
  socket.accept();
  socket.drop();
  assert.equal(connection.retryAt, clock.now() + 1_000);
  await clock.advance(1_000);
  assert.equal(socket.tries, 2);
  socket.refuse(new Error("websocket error"));
  await clock.advance(1_999);
  assert.equal(socket.tries, 2);
  await clock.advance(1);
  assert.equal(socket.tries, 3);
  socket.accept();
  assert.deepEqual(states.slice(2), ["waiting", "retrying", "waiting", "retrying", "online"]);
});

test("a server that takes it and drops it at once is not met with quick tries", async () => {
  for (const delay of [1_000, 2_000, 4_000]) {
    socket.accept();
    socket.drop();
    assert.equal(connection.retryAt, clock.now() + delay);
    await clock.advance(delay);
  }
  socket.accept();
  await clock.advance(5_000);
  socket.drop();
  assert.equal(connection.retryAt, clock.now() + 1_000, "after a steady while it begins again");
});

test("a restart that names a delay is obeyed once", async () => {
  socket.accept();
  socket.any("system", { kind: "restart", message: "Restarting.", reconnectAfterMs: 3_456 });
  socket.drop();
  assert.equal(connection.retryAt, clock.now() + 3_456);
});

test("an invalid credential ends the tries", async () => {
  for (const error of [{ data: { code: "unauthenticated" } }, new Error("unauthenticated")]) {
    socket.refuse(error);
    assert.equal(connection.state, "refused");
  }
  await clock.advance(60_000);
  assert.equal(socket.tries, 1);
});

test("the page may hurry a waiting connection, and only a waiting one", () => {
  socket.accept();
  connection.hurry();
  assert.equal(socket.tries, 1);
  socket.drop();
  connection.hurry();
  assert.equal(socket.tries, 2);
});

test("a request ends in its data, the server's refusal, or no answer", async () => {
  await assert.rejects(connection.request("sync", {}), { code: "unanswered", temporary: true });
  socket.accept();
  const answered = connection.request("sync", { a: 1 });
  socket.emitted[0].done(null, { ok: true, data: { b: 2 } });
  assert.deepEqual(await answered, { b: 2 });
  const refused = connection.request("sync", {});
  socket.emitted[1].done(null, { ok: false, error: { code: "invalid", message: "No.", fields: { after: ["Negative."] } } });
  await assert.rejects(refused, { code: "invalid", fields: { after: ["Negative."] } });
  const silent = connection.request("sync", {});
  socket.emitted[2].done(new Error("operation has timed out"));
  await assert.rejects(silent, { code: "unanswered", temporary: true });
});
