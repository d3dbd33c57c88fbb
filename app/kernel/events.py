"""The objects of the contract's section 3, as they go over the wire (plain dicts: they are made by the thousand)."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from app.kernel.ids import is_id, message_key

MessageType = Literal["text", "image", "file", "voice", "system"]
SenderType = Literal["customer", "bot", "system", "staff", "user"]
CREATED_CHANNEL = "channel:chat-messages"  # where other services hear of created messages; the name is the contract's


class Sender(TypedDict):
    """The author as shown beside a message."""

    id: str
    username: str | None
    displayName: str
    avatarUrl: str | None


class Reaction(TypedDict):
    """One emoji on a message and who put it there."""

    emoji: str
    count: int
    reactorIds: list[str]


class Attachment(TypedDict):
    """A file of a message. ``width`` and ``height`` are a picture's as it is shown (turned as the camera says)."""

    id: str
    name: str
    contentType: str
    bytes: int
    width: int | None
    height: int | None
    url: str
    thumbnailUrl: str | None


class MessageEvent(TypedDict):
    """A message. ``seq`` and ``changedSeq`` are null while ``persisted`` is false."""

    id: str
    conversationId: str
    seq: int | None
    changedSeq: int | None
    clientMessageId: str
    content: str
    messageType: str
    senderType: str
    senderId: str
    sender: Sender
    createdAt: str
    isEdited: bool
    editedAt: str | None
    deletedAt: str | None
    replyToId: str | None
    threadRootId: str | None
    replyCount: int
    rootReplyCount: int | None
    attachments: list[Attachment]
    reactions: list[Reaction]
    mentions: list[str]
    metadata: dict[str, Any]
    persisted: bool


def is_whole(event: object) -> bool:
    """Tell whether something read from outside has what the commit of a message needs, each part of its type."""
    if not isinstance(event, dict):
        return False
    ids = [event.get(name) for name in ("id", "conversationId", "senderId", "clientMessageId")]
    ids += [event.get(name) for name in ("replyToId", "threadRootId") if event.get(name) is not None]
    words = [event.get(name) for name in ("content", "messageType", "senderType", "createdAt")]
    return (
        all(map(is_id, ids))
        and event["id"] == message_key(event["senderId"], event["clientMessageId"])
        and all(isinstance(one, str) for one in words)
        and isinstance(event.get("metadata"), dict)
        and _are_whole(event.get("attachments", []))
        and {"replyToId", "threadRootId"} <= event.keys()
    )


def _are_whole(attachments: object) -> bool:
    return isinstance(attachments, list) and all(isinstance(one, dict) and is_id(one.get("id")) for one in attachments)


class Position(TypedDict):
    """A place in a conversation: a message and its ``seq``; both null where there is none."""

    messageId: str | None
    seq: int | None


class Missed(TypedDict):
    """What a client missed (section 6)."""

    status: Literal["missed", "caught_up"]
    conversationId: str
    messages: list[MessageEvent]
    lastReceived: Position
    latest: Position
    upToSeq: int
    hasMore: bool


class Page(TypedDict):
    """A page of history with the position it was read at."""

    items: list[MessageEvent]
    hasBefore: bool
    hasAfter: bool
    upToSeq: int


class ReadReceiptEvent(TypedDict):
    """Someone has read up to a message; exactly one of the two readers is set."""

    id: str
    messageId: str
    conversationId: str
    readByUserId: str | None
    readByCustomerId: str | None
    readAt: str
    upToSeq: int


RecipientType = Literal["customer", "staff", "user"]


class DeliveryStatusEvent(TypedDict):
    """What became of a message with one recipient. ``upToSeq`` says that it holds for all before it as well.

    ``recipientId`` and ``upToSeq`` are null where it failed for everybody: it could not be stored.
    """

    messageId: str
    conversationId: str
    recipientType: RecipientType
    recipientId: str | None
    status: Literal["sent", "delivered", "read", "failed"]
    deliveredAt: str | None
    readAt: str | None
    failedReason: str | None
    upToSeq: int | None
