import assert from "node:assert/strict";
import { test } from "node:test";
import { Emitter } from "../../app/static/js/realtime/emitter.js";
import { Notifier, isWorthIt } from "../../app/static/js/view/notifier.js";

const ME = "me";
const conversation = (changes = {}) => ({
  id: "c", kind: "group", title: "Design", participants: [], readSeq: 4, muted: false, notifications: "all", ...changes,
});
const message = (seq, changes = {}) => ({
  id: `m${seq}`, conversationId: "c", seq, changedSeq: seq, senderId: "ben", sender: { displayName: "Ben" }, content: `word ${seq}`,
  mentions: [], deletedAt: null, ...changes,
});

/** A notifier on a session of one conversation; time passes when told to. */
function made({ about = conversation(), settings = { desktop: true, sound: true, quietUntil: 0 }, looking = false } = {}) {
  const session = Object.assign(new Emitter(), { actor: { id: ME }, conversations: { get: () => about } });
  const timers = [];
  const clock = { now: () => 1_000, after: (run) => timers.push(run), cancel: () => {} };
  const shown = [];
  let rings = 0;
  const notifier = new Notifier({ session, clock, settings: () => settings, isLookedAt: () => looking, show: (notice) => shown.push(notice), ring: () => rings++ });
  notifier.lead();
  const pass = () => timers.splice(0).forEach((run) => run());
  return { session, notifier, shown, pass, about, rings: () => rings };
}

test("what is new and somebody else's is worth a notification", () => {
  assert.equal(isWorthIt(message(5), conversation(), ME), true);
  for (const [why, one, about] of [
    ["mine", message(5, { senderId: ME }), conversation()],
    ["read", message(4), conversation()],
    ["an edit", message(3, { changedSeq: 9 }), conversation()],
    ["deleted", message(5, { deletedAt: "now" }), conversation()],
    ["muted", message(5), conversation({ muted: true })],
    ["none wanted", message(5), conversation({ notifications: "none" })],
    ["no mention", message(5), conversation({ notifications: "mentions" })],
  ]) assert.equal(isWorthIt(one, about, ME), false, why);
  assert.equal(isWorthIt(message(5, { mentions: [ME] }), conversation({ notifications: "mentions" }), ME), true);
});

test("several of a moment are one notification and one sound", () => {
  const { session, shown, pass, rings } = made();
  for (const seq of [5, 6, 7]) session.emit("message", message(seq));
  pass();
  assert.equal(shown.length, 1);
  assert.deepEqual([shown[0].title, shown[0].body, shown[0].path], ["Design (3 new)", "Ben: word 7", "/chat/c"]);
  assert.equal(rings(), 1);
});

test("a provisional copy and its final are told once", () => {
  const { session, shown, pass } = made();
  session.emit("message", message(null, { id: "m5", changedSeq: null }));
  pass();
  session.emit("message", message(5));
  pass();
  assert.equal(shown.length, 1);
});

test("only the leading tab tells; one that takes over later does not repeat what it has heard", () => {
  const { session, notifier, shown, pass } = made();
  notifier.leads = false;
  session.emit("message", message(5));
  pass();
  notifier.lead();
  session.emit("message", message(5));
  pass();
  assert.equal(shown.length, 0);
});

test("what is looked at, read meanwhile, or in the quiet hours makes no noise", () => {
  for (const quiet of [{ looking: true }, { settings: { desktop: true, sound: true, quietUntil: 2_000 } }, {}]) {
    const { session, shown, pass, about, rings } = made(quiet);
    session.emit("message", message(5));
    if (!Object.keys(quiet).length) about.readSeq = 5;
    pass();
    assert.deepEqual([shown.length, rings()], [0, 0]);
  }
});
