// What the last page left in the outbox is sent from here, in order and under the same ids, once there is a network again.

import { Api } from "../api.js";
import { Outbox } from "../realtime/outbox.js";
import { databaseStore } from "../realtime/outboxStore.js";
import { openDB } from "../../vendor/idb.js";
import { keptActor } from "./shell.js";

const NAME = "worker";
const LOOK_MS = 1_000;
const MOST_LOOKS = 20;

/** @param {any} worker  rejects where something is left, so that the browser calls again later */
export async function sendLeft(worker) {
  // An open page sends by itself; two at once would only ask twice.
  if ((await worker.clients.matchAll({ type: "window" })).length) return;
  const actor = await keptActor();
  if (!actor) return;
  const api = new Api({ csrfToken: actor.csrfToken });
  const outbox = new Outbox({
    actorId: actor.actorId,
    tabId: NAME,
    store: databaseStore(openDB),
    send: async (payload) => (await api.post("/api/messages/send", payload)).message,
  });
  outbox.online();
  await navigator.locks.request(`parley-tab-${NAME}`, () => emptied(outbox));
  outbox.offline();
  for (const page of await worker.clients.matchAll({ type: "window" })) page.postMessage({ kind: "outbox" });
  if (waiting(outbox).length) throw new Error("not everything could be sent");
}

/** @param {Outbox} outbox */
async function emptied(outbox) {
  await outbox.restore();
  for (let looks = 0; looks < MOST_LOOKS && waiting(outbox).length; looks++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    // No event tells a worker that a message is committed: it asks by sending the same one again.
    outbox.online();
  }
}

/** @param {Outbox} outbox */
const waiting = (outbox) => [...outbox.entries.values()].filter(({ state }) => state !== "failed");
