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

/** The files of a draft that are on the server already. @param {string} actorId @param {string} place @returns {import("../realtime/types.js").Attachment[]} */
export function attachedOf(actorId, place) {
  try {
    return JSON.parse(draftOf(actorId, `${place} files`) || "[]");
  } catch {
    return [];
  }
}

/** @param {string} actorId @param {string} place @param {import("../realtime/types.js").Attachment[]} attachments */
export function keepAttached(actorId, place, attachments) {
  keepDraft(actorId, `${place} files`, attachments.length ? JSON.stringify(attachments) : "");
}
