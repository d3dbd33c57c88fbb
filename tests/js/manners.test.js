import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Channels } from "../../app/static/js/realtime/channels.js";
import { Failure, unanswered } from "../../app/static/js/realtime/failure.js";
import { Marks } from "../../app/static/js/realtime/marks.js";
import { OwnPresence, People } from "../../app/static/js/realtime/presence.js";
import { OthersTyping, OwnTyping } from "../../app/static/js/realtime/typing.js";
import { FakeClock, settled } from "./support/clock.js";

let clock;
beforeEach(() => {
  clock = new FakeClock();
});

test("typing is told after 300 ms, kept up, and ended after 3 s of quiet", async () => {
  const told = [];
  const typing = new OwnTyping({ clock, tell: (id, isTyping) => told.push(isTyping) });
  typing.pressed("c1");
  await clock.advance(299);
  assert.deepEqual(told, []);
  for (let second = 0; second < 5; second += 1) {
    typing.pressed("c1");
    await clock.advance(1_000);
  }
  assert.deepEqual(told, [true, true], "one refresh within the five seconds of an indicator");
  await clock.advance(3_000);
  assert.deepEqual(told, [true, true, false]);
});

test("a key or two before a send are not told at all", async () => {
  const told = [];
  const typing = new OwnTyping({ clock, tell: (id, isTyping) => told.push(isTyping) });
  typing.pressed("c1");
  typing.stop();
  await clock.advance(5_000);
  assert.deepEqual(told, []);
});

test("another's typing ends by itself, also where this clock is wrong", async () => {
  const typing = new OthersTyping(clock);
  const event = { id: "t", conversationId: "c1", userId: "b1", customerId: null, isTyping: true };
  typing.heard({ ...event, startedAt: "2001-01-01T00:00:00.000Z", expiresAt: "2001-01-01T00:00:05.000Z" });
  assert.deepEqual(typing.of("c1"), ["b1"]);
  await clock.advance(5_500);
  assert.deepEqual(typing.of("c1"), []);
});

test("away is told after five quiet minutes, online at the next sign of life", async () => {
  const told = [];
  const presence = new OwnPresence({ clock, tell: (status) => told.push(status) });
  presence.active();
  await clock.advance(4 * 60_000);
  presence.active();
  await clock.advance(5 * 60_000);
  presence.active();
  assert.deepEqual(told, ["away", "online"]);
});

test("marks are told in batches, the newest of each conversation, and never back", async () => {
  const told = [];
  const marks = new Marks({ clock, report: async (id, { seq }) => told.push(`${id} ${seq}`) });
  marks.online();
  marks.mark("c1", { seq: 1 });
  marks.mark("c1", { seq: 3 });
  marks.mark("c1", { seq: 2 });
  marks.mark("c2", { seq: 9 });
  await clock.advance(400);
  marks.mark("c1", { seq: 3 });
  await clock.advance(10_000);
  assert.deepEqual(told, ["c1 3", "c2 9"]);
});

test("a mark that was not answered, or made while offline, is told later", async () => {
  const told = [];
  let fail = true;
  const marks = new Marks({
    clock,
    report: async (id, { seq }) => {
      if (fail) throw unanswered();
      told.push(seq);
    },
  });
  marks.mark("c1", { seq: 1 });
  await clock.advance(1_000);
  marks.online();
  await clock.advance(400);
  fail = false;
  await clock.advance(3_000);
  assert.deepEqual(told, [1]);
});

test("channels are held again after a reconnect, until they are left", async () => {
  const asked = [];
  const channels = new Channels(async (event, { channels: names }) => asked.push(`${event} ${names}`));
  channels.online();
  const states = [];
  const first = channels.channel("typing:c1").subscribe((state) => states.push(state));
  await settled();
  channels.offline();
  channels.online();
  await settled();
  const second = channels.channel("typing:c1").subscribe();
  first.unsubscribe();
  second.unsubscribe();
  await settled();
  assert.deepEqual(asked, ["subscribe typing:c1", "subscribe typing:c1", "subscribe typing:c1", "unsubscribe typing:c1"]);
  assert.deepEqual(states, ["joining", "joined", "joining", "joined"]);
  assert.equal(first.state, "closed");
});

test("left and taken up again at once, a channel is asked for last, and once more where nobody answered", async () => {
  const asked = [];
  const answers = [];
  const channels = new Channels((event) => (asked.push(event), new Promise((resolve, reject) => answers.push({ resolve, reject }))), clock);
  channels.online();
  const first = channels.channel("typing:c1").subscribe();
  await settled();
  first.unsubscribe();
  const second = channels.channel("typing:c1").subscribe();
  await settled();
  assert.deepEqual(asked, ["subscribe"], "one at a time: the server may turn two around");
  answers[0].resolve();
  await settled();
  assert.deepEqual(asked, ["subscribe", "subscribe"], "held again by now, it is not left");
  answers[1].reject(unanswered());
  await clock.advance(3_000);
  answers[2].resolve();
  await settled();
  assert.equal(second.state, "joined");
});

test("an answer about who is there does not undo what was heard while it was on its way", async () => {
  const people = new People();
  const seen = (userId, status) => ({ id: userId, userId, customerId: null, status });
  let answer;
  const asked = people.ask(() => new Promise((resolve) => (answer = resolve)));
  people.heard([seen("b1", "offline")]);
  answer({ items: [seen("b1", "online"), seen("c1", "online")] });
  await asked;
  assert.deepEqual([people.status("b1"), people.status("c1")], ["offline", "online"]);
});

test("a mark that was set back while it was told is not told again, and what follows is", async () => {
  const told = [];
  const answers = [];
  const marks = new Marks({ clock, report: (id, { seq }) => (told.push(seq), new Promise((resolve, reject) => answers.push({ resolve, reject }))) });
  marks.online();
  for (const end of ["resolve", "reject"]) {
    told.length = answers.length = 0;
    marks.reset("c1", 0);
    marks.mark("c1", { seq: 3 });
    await clock.advance(400);
    marks.reset("c1", 1);
    answers[0][end](unanswered());
    await clock.advance(4_000);
    assert.deepEqual(told, [3]);
    marks.mark("c1", { seq: 2 });
    await clock.advance(400);
    assert.deepEqual(told, [3, 2]);
    answers[1].resolve();
    await settled();
  }
});

test("a channel that is refused does not take the others with it", async () => {
  const channels = new Channels(async (event, { channels: names }) => {
    if (names.includes("secret")) throw new Failure({ code: "not_found", message: "Not found." });
  });
  const secret = channels.channel("secret").subscribe();
  const open = channels.channel("open").subscribe();
  channels.online();
  await settled();
  assert.equal(secret.state, "errored");
  assert.equal(open.state, "joined");
});
