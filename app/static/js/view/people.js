// Who is who in one conversation: names by id, people by username.

/**
 * @typedef {object} Directory
 * @property {(id: string) => string} name
 * @property {(username: string) => {name: string, isMe: boolean} | null} person
 */

/**
 * @param {import("../realtime/types.js").Participant[]} participants
 * @param {import("../realtime/types.js").Person} actor
 * @returns {Directory}
 */
export function directory(participants, actor) {
  const byId = new Map(participants.map((one) => [one.id, one.displayName]));
  const byUsername = new Map(participants.map((one) => [one.username?.toLowerCase(), one]));
  return {
    name: (id) => (id === actor.id ? "you" : (byId.get(id) ?? "someone")),
    person: (username) => {
      const found = byUsername.get(username);
      return found ? { name: found.displayName, isMe: found.id === actor.id } : null;
    },
  };
}
