export const ALICE = { id: "a1", username: "alice", displayName: "Alice", avatarUrl: null };
export const BOB = { id: "b1", username: "bob", displayName: "Bob", avatarUrl: null };

/** A committed message at one position. */
export function message(seq, changes = {}) {
  const sender = changes.sender ?? BOB;
  return {
    id: `m${seq}`,
    conversationId: "c1",
    seq,
    changedSeq: seq,
    clientMessageId: `k${seq}`,
    content: `message ${seq}`,
    messageType: "text",
    senderType: "user",
    senderId: sender.id,
    sender,
    createdAt: new Date(Date.parse("2026-03-01T09:00:00Z") + (seq ?? 0) * 1000).toISOString(),
    isEdited: false,
    editedAt: null,
    deletedAt: null,
    replyToId: null,
    threadRootId: null,
    replyCount: 0,
    rootReplyCount: null,
    attachments: [],
    reactions: [],
    mentions: [],
    metadata: {},
    persisted: true,
    ...changes,
  };
}

/** The same, before its commit. */
export const provisional = (id, changes = {}) =>
  message(null, { id, clientMessageId: `k-${id}`, createdAt: "2026-03-01T11:00:00.000Z", persisted: false, ...changes });

export const page = (items, changes = {}) => ({
  items,
  hasBefore: false,
  hasAfter: false,
  upToSeq: Math.max(0, ...items.map((item) => item.changedSeq ?? 0)),
  ...changes,
});

export function conversation(id, changes = {}) {
  return {
    id,
    kind: "direct",
    slug: null,
    title: null,
    topic: null,
    visibility: "private",
    participants: [ALICE, BOB],
    memberCount: 2,
    role: "member",
    lastMessage: null,
    unreadCount: 0,
    mentionCount: 0,
    version: 1,
    headSeq: 0,
    readSeq: 0,
    receivedSeq: 0,
    muted: false,
    archived: false,
    pinned: false,
    createdAt: "2026-03-01T08:00:00.000Z",
    updatedAt: "2026-03-01T08:00:00.000Z",
    ...changes,
  };
}
