"""The shapes of answers in ``/api/openapi.json`` (protocol section 3)."""

from __future__ import annotations

from typing import Any

Shape = dict[str, Any]
CODES = [
    "malformed", "unauthenticated", "forbidden", "not_found", "conflict", "out_of_order", "too_large", "invalid",
    "rate_limited", "unavailable",
]  # fmt: skip
TEXT: Shape = {"type": "string"}
WORD: Shape = {"type": ["string", "null"]}
ID: Shape = {"type": "string", "format": "uuid"}
MAYBE_ID: Shape = {"type": ["string", "null"], "format": "uuid"}
TIME: Shape = {"type": "string", "format": "date-time"}
MAYBE_TIME: Shape = {"type": ["string", "null"], "format": "date-time"}
SEQ: Shape = {"type": "integer", "minimum": 0}
MAYBE_SEQ: Shape = {"type": ["integer", "null"], "minimum": 0}
YES_NO: Shape = {"type": "boolean"}
KIND: Shape = {"enum": ["user", "customer", "bot"]}
ROLE: Shape = {"enum": ["owner", "admin", "member"]}
CONVERSATION_KIND: Shape = {"enum": ["direct", "group", "room", "support"]}
VISIBILITY: Shape = {"enum": ["public", "private"]}
NOTIFICATIONS: Shape = {"enum": ["all", "mentions", "none"]}
MESSAGE_TYPE: Shape = {"enum": ["text", "image", "file", "voice", "system"]}
SENDER_TYPE: Shape = {"enum": ["customer", "bot", "system", "staff", "user"]}


def ref(name: str) -> Shape:
    """Point at a shape."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(part: Shape) -> Shape:
    """Make a list's shape."""
    return {"type": "array", "items": part}


def closed(**members: Shape) -> Shape:
    """Make an object's shape: all members required, no others."""
    return {"type": "object", "required": list(members), "properties": members, "additionalProperties": False}


SENDER = closed(id=ID, username=WORD, displayName=TEXT, avatarUrl=WORD)
PERSON = closed(id=ID, username=WORD, displayName=TEXT, avatarUrl=WORD)
PARTICIPANT = closed(id=ID, kind=KIND, username=WORD, displayName=TEXT, avatarUrl=WORD, role=ROLE)
ATTACHMENT = closed(
    id=ID, name=TEXT, contentType=TEXT, bytes=SEQ, width=MAYBE_SEQ, height=MAYBE_SEQ, url=TEXT, thumbnailUrl=WORD
)
MESSAGE = closed(
    id=ID, conversationId=ID, seq=MAYBE_SEQ, changedSeq=MAYBE_SEQ, clientMessageId=ID, content=TEXT, messageType=MESSAGE_TYPE,
    senderType=SENDER_TYPE, senderId=ID, sender=ref("Sender"), createdAt=TIME, isEdited=YES_NO, editedAt=MAYBE_TIME,
    deletedAt=MAYBE_TIME, replyToId=MAYBE_ID, threadRootId=MAYBE_ID, replyCount=SEQ, rootReplyCount=MAYBE_SEQ,
    attachments=list_of(ref("Attachment")), mentions=list_of(ID), metadata={"type": "object"}, persisted=YES_NO,
    reactions=list_of(closed(emoji=TEXT, count=SEQ, reactorIds=list_of(ID))),
)  # fmt: skip
CONNECTION = closed(
    address=TEXT, scheme=TEXT, host=TEXT, forwarded=closed(**dict.fromkeys(("for", "proto", "host"), SEQ))
)
CONVERSATION = closed(
    id=ID, kind=CONVERSATION_KIND, slug=WORD, title=WORD, topic=WORD, visibility=VISIBILITY,
    participants=list_of(ref("Participant")), memberCount=SEQ, role=ROLE,
    lastMessage={"anyOf": [ref("MessageEvent"), {"type": "null"}]}, unreadCount=SEQ, mentionCount=SEQ, version=SEQ,
    headSeq=SEQ, readSeq=SEQ, receivedSeq=SEQ, muted=YES_NO, archived=YES_NO, pinned=YES_NO, notifications=NOTIFICATIONS,
    createdAt=TIME, updatedAt=TIME,
)  # fmt: skip
CONVERSATION["properties"] |= {  # support conversations only
    "customer": {"anyOf": [closed(id=ID, displayName=TEXT, avatarUrl=WORD), {"type": "null"}]},
    "status": {"enum": ["open", "pending", "resolved"]},
    "assigneeId": MAYBE_ID,
}
CUSTOMER = closed(
    id=ID,
    displayName=TEXT,
    avatarUrl=WORD,
    email=WORD,
    externalId=WORD,
    metadata={"type": "object"},
    createdAt=TIME,
)
API_TOKEN = closed(id=ID, name=TEXT, expiresAt=MAYBE_TIME)
BOT = closed(**PERSON["properties"], createdAt=TIME, disabledAt=MAYBE_TIME, apiTokens=list_of(API_TOKEN))
ACCOUNT = closed(**PERSON["properties"], email=TEXT, role={"enum": ["member", "staff", "admin"]}, createdAt=TIME)
SESSION = closed(
    id=ID, kind={"enum": ["api", "page"]}, createdAt=TIME, lastUsedAt=TIME, expiresAt=TIME, userAgent=TEXT, address=TEXT,
    current=YES_NO,
)  # fmt: skip
TOKENS = closed(accessToken=TEXT, refreshToken=TEXT, expiresIn=SEQ)
READ = closed(readSeq=SEQ, unreadCount=SEQ)
POSITION = closed(messageId=MAYBE_ID, seq=MAYBE_SEQ)

SHAPES: dict[str, Shape] = {
    "Sender": SENDER,
    "Participant": PARTICIPANT,
    "Account": ACCOUNT,
    "Attachment": ATTACHMENT,
    "Uploaded": closed(upload=ref("Attachment")),
    "MessageEvent": MESSAGE,
    "ConversationView": CONVERSATION,
    "Position": POSITION,
    "Message": closed(message=ref("MessageEvent")),
    "Conversation": closed(conversation=ref("ConversationView")),
    "Member": closed(member=ref("Participant"), conversation=ref("ConversationView")),
    "Me": {"anyOf": [closed(user=ref("Account")), closed(customer=ref("Customer")), closed(bot=ref("Bot"))]},
    "Customer": CUSTOMER,
    "Bot": BOT,
    "BotMade": closed(bot=ref("Bot")),
    "ApiTokenMade": closed(token=TEXT, apiToken=API_TOKEN),
    "CustomerMade": closed(customer=ref("Customer")),
    "PortalTokenMade": closed(token=TEXT, portalToken=closed(id=ID, expiresAt=MAYBE_TIME)),
    "Identified": closed(customer=ref("Customer"), token=TEXT, portalToken=closed(id=ID, expiresAt=MAYBE_TIME)),
    "Person": closed(user=PERSON),
    "SignedIn": closed(user=ref("Account"), **TOKENS["properties"]),
    "Tokens": TOKENS,
    "PersonView": PERSON,
    "MemberView": closed(**PARTICIPANT["properties"], joinedAt=TIME),
    "RoomView": closed(id=ID, slug=TEXT, title=WORD, topic=WORD, memberCount=SEQ, isMember=YES_NO),
    "SessionView": SESSION,
    "EditView": closed(content=TEXT, replacedAt=TIME, position=SEQ, editorId=ID),
    "ReadReceiptEvent": closed(
        id=ID,
        messageId=ID,
        conversationId=ID,
        readByUserId=MAYBE_ID,
        readByCustomerId=MAYBE_ID,
        readAt=TIME,
        upToSeq=SEQ,
    ),
    "PresenceEvent": closed(
        id=ID,
        userId=MAYBE_ID,
        customerId=MAYBE_ID,
        status={"enum": ["online", "away", "offline"]},
        lastSeenAt=MAYBE_TIME,
        metadata={"type": "object"},
    ),
    "Notifications": closed(notifications=closed(email={"enum": ["off", "mentions", "all"]}, delayMinutes=SEQ)),
    "Accepted": closed(accepted=YES_NO),
    "Connection": CONNECTION,
    "Passport": closed(
        passport=closed(
            messageId=ID,
            conversationId=ID,
            senderId=ID,
            seq=SEQ,
            hasMore=YES_NO,
            timeline=list_of(
                closed(
                    event={"enum": ["accepted", "committed", "delivered", "read", "failed"]},
                    at=MAYBE_TIME,
                    seq=MAYBE_SEQ,
                    path=WORD,
                    reason=WORD,
                    person={"anyOf": [closed(id=ID, kind=KIND, displayName=TEXT), {"type": "null"}]},
                )
            ),
        )
    ),
    "Granted": closed(
        socketUrl=TEXT,
        socketPath=TEXT,
        channels=list_of(TEXT),
        features=closed(messages=YES_NO, readReceipts=YES_NO, typing=YES_NO, presence=YES_NO),
        filters=closed(userId=MAYBE_ID, customerId=MAYBE_ID, conversationId=MAYBE_ID),
    ),
    "GrantEnded": closed(message=TEXT, channels=list_of(TEXT)),
    "Ended": closed(ended=MAYBE_ID),
    "Removed": closed(removed=ID),
    "Left": closed(left=ID),
    "Opened": closed(
        conversation=ref("ConversationView"), items=list_of(ref("MessageEvent")), hasBefore=YES_NO, upToSeq=SEQ
    ),
    "History": closed(items=list_of(ref("MessageEvent")), hasBefore=YES_NO, hasAfter=YES_NO, upToSeq=SEQ),
    "Missed": closed(
        status={"enum": ["missed", "caught_up"]},
        conversationId=ID,
        messages=list_of(ref("MessageEvent")),
        lastReceived=ref("Position"),
        latest=ref("Position"),
        upToSeq=SEQ,
        hasMore=YES_NO,
    ),
    "Received": closed(receivedSeq=SEQ),
    "Read": {**READ, "properties": {**READ["properties"], "coalesced": YES_NO}},
    "Recount": closed(
        conversationId=ID,
        unreadCount=SEQ,
        mentionCount=SEQ,
        readSeq=SEQ,
        headSeq=SEQ,
        recount=SEQ,
        looked=SEQ,
        own=SEQ,
        deleted=SEQ,
        items=list_of(closed(messageId=ID, seq=SEQ, senderId=ID, createdAt=TIME, mentionsMe=YES_NO)),
    ),
    "Unread": closed(count=SEQ, byConversation={"type": "object", "additionalProperties": SEQ}),
}


def shape_of(data: str) -> Shape:
    """Give the shape that a call names: one of SHAPES, ``Items of X`` (a list) or ``Page of X`` (a list by cursor)."""
    whole, _, item = data.partition(" of ")
    if not item:
        return ref(data)
    items = list_of(ref(item))
    return closed(items=items) if whole == "Items" else closed(items=items, nextCursor=WORD)


ERROR: Shape = {
    "type": "object",
    "required": ["success", "version", "timestamp", "error"],
    "properties": {
        "success": {"const": False},
        "version": {"const": "v1"},
        "timestamp": TIME,
        "error": {
            "type": "object",
            "required": ["code", "message", "temporary", "requestId"],
            "properties": {
                "code": {"enum": CODES},
                "message": TEXT,
                "fields": {"type": "object", "additionalProperties": list_of(TEXT)},
                "temporary": YES_NO,
                "retryAfter": {"type": "number"},
                "requestId": TEXT,
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
