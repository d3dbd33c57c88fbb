import { draftOf, keepDraft } from "../view/drafts.js";
import { trayOf } from "./tray.js";

/**
 * This will make what was not sent a draft again, its words before those that were written since, and its files with it.
 * @param {import("./pageContext.js").PageContext} page @param {import("../realtime/outbox.js").Entry} entry
 * @param {string} place  the draft's
 */
export function takeBack(page, entry, place) {
  const { session, actor } = page;
  const { clientMessageId, content, attachments = [] } = entry;
  if (!session.outbox.discard(clientMessageId)) return;
  keepDraft(actor.id, place, [content, draftOf(actor.id, place)].filter(Boolean).join("\n"));
  if (attachments.length) trayOf(page, place).takeBack(attachments);
}
