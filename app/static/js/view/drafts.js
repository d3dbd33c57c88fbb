// What was typed and not sent yet, kept for each conversation across reloads.

const PREFIX = "parley-draft ";

/** @param {string} actorId @param {string} conversationId */
const name = (actorId, conversationId) => `${PREFIX}${actorId} ${conversationId}`;

/** @param {string} actorId @param {string} conversationId */
export function draftOf(actorId, conversationId) {
  try {
    return localStorage.getItem(name(actorId, conversationId)) ?? "";
  } catch {
    return "";
  }
}

/** @param {string} actorId @param {string} conversationId @param {string} text */
export function keepDraft(actorId, conversationId, text) {
  try {
    if (text) localStorage.setItem(name(actorId, conversationId), text);
    else localStorage.removeItem(name(actorId, conversationId));
  } catch {
    // A browser that keeps nothing: the draft lasts as long as the page.
  }
}
