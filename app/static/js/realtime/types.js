// The objects of the public contract, as the browser receives them.

/**
 * @typedef {{id: string, username: string | null, displayName: string, avatarUrl: string | null}} Sender
 * @typedef {{emoji: string, count: number, reactorIds: string[]}} Reaction
 * @typedef {{id: string, name?: string, contentType?: string, bytes?: number, url?: string, thumbnailUrl?: string | null, width?: number | null, height?: number | null}} Attachment
 *
 * @typedef {object} Message
 * @property {string} id
 * @property {string} conversationId
 * @property {number | null} seq  position of its creation; null while provisional
 * @property {number | null} changedSeq  position of its latest change
 * @property {string | null} clientMessageId
 * @property {string} content
 * @property {string} messageType
 * @property {string} senderType
 * @property {string} senderId
 * @property {Sender} sender
 * @property {string} createdAt
 * @property {boolean} isEdited
 * @property {string | null} editedAt
 * @property {string | null} deletedAt
 * @property {string | null} replyToId
 * @property {string | null} threadRootId
 * @property {number} replyCount
 * @property {number | null} rootReplyCount
 * @property {Attachment[]} attachments
 * @property {Reaction[]} reactions
 * @property {string[]} mentions
 * @property {Record<string, any>} metadata
 * @property {boolean} persisted
 *
 * @typedef {{id: string, kind: string, username: string | null, displayName: string, avatarUrl: string | null, role?: string}} Participant
 *
 * @typedef {object} Conversation
 * @property {string} id
 * @property {"direct" | "group" | "room" | "support"} kind
 * @property {string | null} slug
 * @property {string | null} title
 * @property {string | null} topic
 * @property {"public" | "private"} visibility
 * @property {Participant[]} participants
 * @property {number} memberCount
 * @property {"owner" | "admin" | "member"} role  mine
 * @property {Message | null} lastMessage
 * @property {number} unreadCount  exact up to 99, then 100
 * @property {number} mentionCount
 * @property {number} version
 * @property {number} headSeq
 * @property {number} readSeq
 * @property {number} receivedSeq
 * @property {"all" | "mentions" | "none"} [notifications]
 * @property {boolean} muted
 * @property {boolean} archived
 * @property {boolean} pinned
 * @property {string} createdAt
 * @property {string} updatedAt
 *
 * @typedef {{id: string, kind?: string, role?: string, username: string | null, displayName: string, avatarUrl: string | null}} Person
 *
 * @typedef {{items: Message[], hasBefore: boolean, hasAfter: boolean, upToSeq: number}} HistoryPage
 * @typedef {{status: "missed" | "caught_up", conversationId: string, messages: Message[], upToSeq: number, hasMore: boolean}} CatchUpPage
 * @typedef {{id: string, headSeq: number, version: number, receivedSeq: number, readSeq: number}} ReadyConversation
 * @typedef {{actor: Person, serverTime: string, conversations: ReadyConversation[], hasMore: boolean, headsSeconds: number}} Ready
 *
 * @typedef {{id: string, messageId: string, conversationId: string, readByUserId: string | null, readByCustomerId: string | null, readAt: string, upToSeq: number}} Receipt
 * @typedef {{messageId: string, conversationId: string, recipientType: string, recipientId: string | null, status: "sent" | "delivered" | "read" | "failed", deliveredAt: string | null, readAt: string | null, failedReason: string | null, upToSeq: number}} Delivery
 * @typedef {{id: string, conversationId: string, userId: string | null, customerId: string | null, isTyping: boolean, startedAt: string, expiresAt: string}} Typing
 * @typedef {{id: string, userId: string | null, customerId: string | null, status: "online" | "away" | "offline", lastSeenAt: string | null, metadata: Record<string, any>}} Presence
 */

export {};
