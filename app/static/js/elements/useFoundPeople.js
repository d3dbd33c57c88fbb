import { useEffect, useState } from "preact/hooks";
import { usePage } from "./html.js";

/** @typedef {import("../realtime/types.js").Person} Person */

const PAUSE_MS = 150;

/**
 * People found by name, as one types. The latest answer stays until the next has come; `isCurrent` tells whether it answers what
 * is sought now: who presses Enter means what was typed, not what was found for the letters before.
 * @param {string} sought @param {number} limit
 */
export function useFoundPeople(sought, limit) {
  const { session, actor } = usePage();
  const q = sought.trim();
  const [answer, setAnswer] = useState({ q: /** @type {string | null} */ (null), people: /** @type {Person[]} */ ([]), problem: "" });
  useEffect(() => {
    let current = true;
    const ask = async () => {
      const next = await session.api.get("/api/users", { q, limit }).then(
        ({ items }) => ({ q, people: items.filter((/** @type {Person} */ { id }) => id !== actor.id), problem: "" }),
        (error) => ({ q, people: [], problem: error.message }),
      );
      if (current) setAnswer(next);
    };
    const timer = setTimeout(ask, q ? PAUSE_MS : 0);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [q, limit]);
  return { people: answer.people, problem: answer.problem, isCurrent: answer.q === q };
}

/**
 * This will lead to the talk with one person, unless the reader has gone elsewhere before it was known.
 * @param {Pick<import("./pageContext.js").PageContext, "session" | "router">} page @param {string | null} username
 */
export async function talkWith({ session, router }, username) {
  const from = router.conversationId;
  const { conversation } = await session.api.get(`/api/conversations/with/${username}`);
  session.took(conversation);
  if (router.conversationId === from) router.go(conversation.id);
}
