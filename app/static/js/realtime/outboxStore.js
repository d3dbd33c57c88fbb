// Where the outbox is kept between pages.

/** @typedef {import("./outbox.js").Entry} Entry */

/**
 * @typedef {object} OutboxStore
 * @property {(actorId: string) => Promise<Entry[]>} all
 * @property {(entry: Entry) => Promise<unknown>} put
 * @property {(clientMessageId: string) => Promise<unknown>} remove
 */

/** Lasts as long as the page; for tests, and where the browser refuses to keep anything. @returns {OutboxStore} */
export function memoryStore(/** @type {Map<string, Entry>} */ kept = new Map()) {
  return {
    all: async (actorId) => [...kept.values()].filter((entry) => entry.actorId === actorId),
    put: async (entry) => kept.set(entry.clientMessageId, entry),
    remove: async (clientMessageId) => kept.delete(clientMessageId),
  };
}

/**
 * @param {typeof import("idb").openDB} openDB
 * @returns {OutboxStore}
 */
export function databaseStore(openDB, name = "parley") {
  if (typeof indexedDB === "undefined") return memoryStore(); // Node.js, and browsers that keep nothing
  const opened = openDB(name, 1, {
    upgrade(database) {
      const outbox = database.createObjectStore("outbox", { keyPath: "clientMessageId" });
      outbox.createIndex("actorId", "actorId");
    },
  });
  const fallback = memoryStore();
  /** @template T @param {(database: any) => Promise<T>} work @param {() => Promise<T>} instead */
  const withDatabase = (work, instead) => opened.then(work, instead);
  return {
    all: (actorId) =>
      withDatabase(
        (database) => database.getAllFromIndex("outbox", "actorId", actorId),
        () => fallback.all(actorId),
      ),
    put: (entry) =>
      withDatabase(
        (database) => database.put("outbox", entry),
        () => fallback.put(entry),
      ),
    remove: (clientMessageId) =>
      withDatabase(
        (database) => database.delete("outbox", clientMessageId),
        () => fallback.remove(clientMessageId),
      ),
  };
}
