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

const NOTE = "parley-outbox ";

/**
 * What is on its way into the database: noted before the key press is over, for the database may need longer than the page lives.
 */
function notesIn() {
  const tried = (/** @type {() => any} */ work) => {
    try {
      return work();
    } catch {
      return null; // full, forbidden, or none as in a worker: the database alone has to do
    }
  };
  return {
    add: (/** @type {Entry} */ entry) => tried(() => localStorage.setItem(NOTE + entry.clientMessageId, JSON.stringify(entry))),
    remove: (/** @type {string} */ clientMessageId) => tried(() => localStorage.removeItem(NOTE + clientMessageId)),
    /** @returns {Entry[]} */
    all: (/** @type {string} */ actorId) => {
      const names = tried(() => Object.keys(localStorage).filter((name) => name.startsWith(NOTE))) ?? [];
      const kept = names.map((/** @type {string} */ name) => tried(() => JSON.parse(localStorage.getItem(name) ?? "null")));
      return kept.filter((/** @type {Entry | null} */ entry) => entry?.actorId === actorId);
    },
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
  const notes = notesIn();
  const fallback = memoryStore();
  /** @template T @param {(database: any) => Promise<T>} work @param {() => Promise<T>} instead */
  const withDatabase = (work, instead) => opened.then(work, instead);
  return {
    all: async (actorId) => {
      const noted = notes.all(actorId); // first: a note goes when the database has it
      const kept = await withDatabase(
        (database) => database.getAllFromIndex("outbox", "actorId", actorId),
        () => fallback.all(actorId),
      );
      const ids = new Set(kept.map((/** @type {Entry} */ { clientMessageId }) => clientMessageId));
      return [...kept, ...noted.filter(({ clientMessageId }) => !ids.has(clientMessageId))];
    },
    put: (entry) => {
      notes.add(entry);
      return withDatabase(
        async (database) => {
          await database.put("outbox", entry);
          notes.remove(entry.clientMessageId);
        },
        () => fallback.put(entry),
      );
    },
    remove: (clientMessageId) => {
      notes.remove(clientMessageId);
      return withDatabase(
        (database) => database.delete("outbox", clientMessageId),
        () => fallback.remove(clientMessageId),
      );
    },
  };
}
