import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { openDB } from "idb";
import { databaseStore } from "../../app/static/js/realtime/outboxStore.js";

const entry = (clientMessageId, actorId) => ({ clientMessageId, actorId, content: "hello" });

test("entries outlive the page and belong to one person", async () => {
  const store = databaseStore(openDB, "first");
  await store.put(entry("k1", "a1"));
  await store.put(entry("k2", "b1"));
  await store.put({ ...entry("k1", "a1"), content: "changed" });
  const again = databaseStore(openDB, "first");
  assert.deepEqual((await again.all("a1")).map(({ content }) => content), ["changed"]);
  await again.remove("k1");
  assert.deepEqual(await store.all("a1"), []);
  assert.equal((await store.all("b1")).length, 1);
});

test("where the browser keeps nothing, memory serves", async () => {
  const store = databaseStore(() => Promise.reject(new Error("forbidden")));
  await store.put(entry("k1", "a1"));
  assert.equal((await store.all("a1")).length, 1);
});

test("what was sent is there again where the page went before the database had it", async () => {
  const kept = {};
  const members = { setItem: (name, value) => (kept[name] = value), getItem: (name) => kept[name] ?? null, removeItem: (name) => delete kept[name] };
  globalThis.localStorage = new Proxy(kept, { get: (_, name) => members[name] });
  try {
    const slow = databaseStore(() => new Promise(() => {}), "second");
    slow.put(entry("k1", "a1")); // and the page is gone
    const next = databaseStore(openDB, "second");
    assert.deepEqual((await next.all("a1")).map(({ clientMessageId }) => clientMessageId), ["k1"]);
    assert.deepEqual(await next.all("b1"), []);
    await next.put(entry("k1", "a1"));
    assert.deepEqual(Object.keys(kept), [], "the database has it");
    assert.equal((await next.all("a1")).length, 1);
  } finally {
    delete globalThis.localStorage;
  }
});
