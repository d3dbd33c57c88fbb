// A timeline and an outbox as the rows of a page: days, groups of one sender, the "new" line.

import { day, sameDay } from "./time.js";

/**
 * @typedef {import("../realtime/types.js").Message} Message
 * @typedef {import("../realtime/outbox.js").Entry} Entry
 *
 * @typedef {object} Row
 * @property {string} key
 * @property {Message} message
 * @property {Entry | null} entry  while it is mine and not known to be committed
 * @property {string | null} day  where a day begins
 * @property {boolean} isNew  where the unread begin
 * @property {boolean} isFirst  of its group: shows the sender
 */

const GROUP_MS = 5 * 60_000;

/**
 * @param {object} options
 * @param {Message[]} options.messages
 * @param {Message | null} [options.before]  what precedes them and is not shown
 * @param {Entry[]} options.entries
 * @param {import("../realtime/types.js").Person} options.actor
 * @param {number | null} options.newAfter  the read position when the page was opened
 * @param {Date} [options.now]
 * @returns {Row[]}
 */
export function rows({ messages, before: precedes = null, entries, actor, newAfter, now = new Date() }) {
  const shown = withEntries(messages, entries, actor);
  const isWithin = newAfter == null || (precedes?.seq ?? 0) > newAfter; // the line is further up
  const firstNew = isWithin ? undefined : shown.find(({ message }) => isUnread(message, newAfter, actor.id));
  let before = precedes;
  return shown.map(({ message, entry }) => {
    const dayChanges = !before || !sameDay(before.createdAt, message.createdAt);
    const isNew = message === firstNew?.message;
    const row = {
      key: keyOf(message),
      message,
      entry,
      day: dayChanges ? day(message.createdAt, now) : null,
      isNew,
      isFirst: dayChanges || isNew || !before || !continues(before, message),
    };
    before = message;
    return row;
  });
}

/** @param {Message[]} messages @param {Entry[]} entries @param {import("../realtime/types.js").Person} actor */
function withEntries(messages, entries, actor) {
  const mine = messages.filter(({ senderId }) => senderId === actor.id);
  const committed = new Set(mine.filter(({ persisted }) => persisted).map(({ clientMessageId }) => clientMessageId));
  const waiting = new Set(entries.map(({ clientMessageId }) => clientMessageId));
  // A provisional copy of mine stands where its entry stands: in the order of sending.
  const isEntry = (/** @type {Message} */ { persisted, senderId, clientMessageId }) =>
    !persisted && senderId === actor.id && waiting.has(clientMessageId ?? "");
  return [
    ...messages.filter((message) => !isEntry(message)).map((message) => ({ message, entry: null })),
    ...entries
      .filter(({ clientMessageId }) => !committed.has(clientMessageId))
      .map((entry) => ({ message: asMessage(entry, actor), entry })),
  ];
}

/** @param {Entry} entry @param {import("../realtime/types.js").Person} actor @returns {Message} */
function asMessage(entry, actor) {
  return {
    id: entry.clientMessageId,
    conversationId: entry.conversationId,
    seq: null,
    changedSeq: null,
    clientMessageId: entry.clientMessageId,
    content: entry.content,
    messageType: "text",
    senderType: "user",
    senderId: actor.id,
    sender: actor,
    createdAt: entry.createdAt,
    isEdited: false,
    editedAt: null,
    deletedAt: null,
    replyToId: entry.replyToId,
    threadRootId: null,
    replyCount: 0,
    rootReplyCount: null,
    attachments: entry.attachments ?? [],
    reactions: [],
    mentions: [],
    metadata: entry.metadata,
    persisted: false,
  };
}

/** The same before and after its commit, and never another sender's. @param {Message} message */
const keyOf = ({ senderId, clientMessageId, id }) => `${senderId} ${clientMessageId ?? id}`;

/** @param {Message} message @param {number} newAfter @param {string} actorId */
const isUnread = ({ seq, senderId, deletedAt }, newAfter, actorId) =>
  seq != null && seq > newAfter && senderId !== actorId && !deletedAt;

/** @param {Message} before @param {Message} message */
function continues(before, message) {
  if (before.senderId !== message.senderId || message.replyToId) return false;
  return Date.parse(message.createdAt) - Date.parse(before.createdAt) < GROUP_MS;
}
