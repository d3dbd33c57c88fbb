import { useEffect, useLayoutEffect } from "preact/hooks";
import { usePage } from "./html.js";

/** How many of my latest messages are asked about, until one is found that somebody has read. */
const MOST_ASKED = 3;

/** Hears who types, reads and is there, as long as a conversation is open. @param {string} id */
export function useLive(id) {
  const { session } = usePage();
  useLayoutEffect(() => {
    session.reading.enter(id);
    return () => session.reading.leave(id);
  }, [id]);
  useEffect(() => {
    const channel = session.channels.channel(`receipts:${id}`, `typing:${id}`, `presence:${id}`).subscribe();
    const ask = () => {
      session.people.ask(() => session.api.get(`/api/conversations/${id}/presence`)).catch(() => {});
      askWhoRead(session, id).catch(() => {});
    };
    const stop = session.connection.on("ready", ask);
    if (session.connection.online) ask();
    return () => {
      stop();
      channel.unsubscribe();
    };
  }, [id]);
}

/** @param {import("../realtime/session.js").Session} session @param {string} id */
async function askWhoRead(session, id) {
  const timeline = await session.open(id);
  const mine = timeline.messages.filter(({ senderId, seq, deletedAt }) => senderId === session.actor?.id && seq != null && !deletedAt);
  for (const { id: messageId } of mine.slice(-MOST_ASKED).reverse()) {
    const { items } = await session.api.get(`/api/messages/${messageId}/receipts`);
    session.readers.heard(items);
    if (items.length) return;
  }
}
