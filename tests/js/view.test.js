import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Deletions, UNDO_MS } from "../../app/static/js/view/deletions.js";
import { isLookedAt, tellWhatIsLookedAt } from "../../app/static/js/view/looking.js";
import { sections } from "../../app/static/js/view/sections.js";
import { settled } from "./support/clock.js";
import { conversation } from "./support/messages.js";

let signs, kept, hasFocus;

beforeEach(() => {
  signs = {};
  kept = {};
  hasFocus = true;
  globalThis.addEventListener = (sign, listener) => (signs[sign] ??= []).push(listener);
  globalThis.document = { hasFocus: () => hasFocus };
  globalThis.localStorage = { getItem: (name) => kept[name] ?? null, setItem: (name, value) => (kept[name] = value), removeItem: (name) => delete kept[name] };
});

afterEach(() => {
  for (const name of ["addEventListener", "document", "localStorage"]) delete globalThis[name];
});

test("each kind of conversation has its place in the list, what is pinned or unread stands first", () => {
  const kinds = ["support", "room", "group", "direct"].map((kind) => conversation(kind, { kind }));
  const all = [...kinds, conversation("u", { kind: "group", unreadCount: 1 }), conversation("p", { kind: "group", pinned: true })];
  assert.deepEqual(
    sections(all).map(({ label, items }) => [label, ...items.map(({ id }) => id)]),
    [["Pinned", "p"], ["Unread", "u"], ["Direct", "direct"], ["Groups", "group"], ["Rooms", "room"], ["Support", "support"]],
  );
});

test("there is a way back from deleting until the server is told, and none after that", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let answer;
  const told = [];
  const deletions = new Deletions((id) => (told.push(id), new Promise((resolve) => (answer = resolve))), () => {});
  deletions.begin("m1");
  deletions.undo();
  context.mock.timers.tick(UNDO_MS);
  assert.deepEqual([told, deletions.isPending("m1")], [[], false]);
  deletions.begin("m1");
  context.mock.timers.tick(UNDO_MS);
  assert.deepEqual([told, deletions.pending.size], [["m1"], 0], "nothing to undo is offered any more");
  deletions.undo();
  assert.ok(deletions.isPending("m1"), "it does not come back into sight only to go");
  answer();
  await settled();
  assert.equal(deletions.isPending("m1"), false);
});

test("a page that goes has the server told in a way that outlives it", () => {
  const told = [];
  const deletions = new Deletions(async () => told.push("by the socket"), () => {}, async () => told.push("for certain"));
  deletions.begin("m1");
  for (const leave of signs.pagehide) leave();
  assert.deepEqual(told, ["for certain"]);
});

test("a conversation that one has left for the list is not looked at any more, and another tab's word stands", () => {
  let here = "c1";
  const tell = tellWhatIsLookedAt(() => here);
  assert.ok(isLookedAt("c1"));
  here = null;
  tell();
  assert.ok(!isLookedAt("c1"), "what comes there may ring");
  here = "c1";
  tell();
  hasFocus = false;
  kept.parley_looking = "c2"; // another tab has the focus and has spoken
  tell();
  assert.ok(isLookedAt("c2"));
});
