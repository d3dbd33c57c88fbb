"""Messages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.api.endpoint import endpoint
from app.domain import changes, conversations, delivery, messages, passports, reading
from app.kernel import clock, fields, query as query_models, requests as wire
from app.kernel.actor import Actor
from app.kernel.errors import NotFound


@endpoint("POST", "/messages/send", body=wire.SendMessage, data="Message", made=True, customers=True)
def send(*, actor: Actor, body: wire.SendMessage) -> tuple[dict[str, Any], int]:
    """Send a message; the same clientMessageId again gives the first one."""
    sent = messages.send(actor, request=body, now=clock.now())
    return {"message": sent.message}, 201 if sent.is_new else 200


@endpoint("GET", "/messages/unread-count", query=query_models.UnreadQuery, data="Unread", customers=True)
def unread(*, actor: Actor, query: query_models.UnreadQuery) -> dict[str, Any]:
    """Count what is unread."""
    return reading.unread(actor, conversation_id=query.conversation_id)


@endpoint("POST", "/messages/mark-received", body=wire.MarkReceived, data="Received", customers=True)
def mark_received(*, actor: Actor, body: wire.MarkReceived) -> dict[str, Any]:
    """Advance one's received position up to a message."""
    conversation_id = conversations.by_room_ref(body.room_id)
    held = delivery.received(actor, conversation_id=conversation_id, message_id=body.message_id, now=clock.now())
    return {"receivedSeq": held}


@endpoint("POST", "/messages/mark-read", body=wire.MarkRead, data="Read", customers=True)
def mark_read(*, actor: Actor, body: wire.MarkRead) -> dict[str, Any]:
    """Advance one's read position up to the newest of some messages."""
    return reading.mark_read(
        actor,
        now=clock.now(),
        message_ids=body.message_ids or (),
        conversation_id=body.conversation_id,
        message_id=body.message_id,
    )


@endpoint("POST", "/messages/mark-unread", body=wire.MarkUnread, data="Read", customers=True)
def mark_unread(*, actor: Actor, body: wire.MarkUnread) -> dict[str, Any]:
    """Set one's read position to just before a message."""
    return reading.mark_unread(actor, conversation_id=body.conversation_id, now=clock.now(), message_id=body.message_id)


@endpoint("GET", "/messages/<message_id>", data="Message", customers=True)
def one(*, actor: Actor, message_id: UUID) -> dict[str, Any]:
    """Read one message."""
    return {"message": messages.get(actor, message_id=message_id)}


@endpoint("PATCH", "/messages/<message_id>", body=wire.EditMessage, data="Message", customers=True)
def edit(*, actor: Actor, message_id: UUID, body: wire.EditMessage) -> dict[str, Any]:
    """Change the words of one's own message."""
    return {"message": changes.edit(actor, message_id=message_id, content=body.content, now=clock.now())}


@endpoint("DELETE", "/messages/<message_id>", data="Message", customers=True)
def delete(*, actor: Actor, message_id: UUID) -> dict[str, Any]:
    """Turn a message into a tombstone."""
    return {"message": changes.delete(actor, message_id=message_id, now=clock.now())}


@endpoint("GET", "/messages/<message_id>/history", data="Items of EditView", customers=True)
def history(*, actor: Actor, message_id: UUID) -> dict[str, Any]:
    """Read what a message said before its edits."""
    return {"items": messages.edits(actor, message_id=message_id)}


@endpoint("GET", "/messages/<message_id>/receipts", data="Items of ReadReceiptEvent", customers=True)
def receipts(*, actor: Actor, message_id: UUID) -> dict[str, Any]:
    """List who has read a message and when first."""
    return {"items": reading.receipts(actor, message_id=message_id)}


@endpoint("GET", "/messages/<message_id>/thread", data="Items of MessageEvent", customers=True)
def thread(*, actor: Actor, message_id: UUID) -> dict[str, Any]:
    """Read the thread that a message belongs to: its root and replies."""
    return {"items": messages.thread(actor, message_id=message_id)}


@endpoint("GET", "/messages/<message_id>/passport", data="Passport", customers=True)
def passport(*, actor: Actor, message_id: UUID) -> dict[str, Any]:
    """Read a message's way: accepted, committed, delivered to and read by whom, and what failed."""
    return {"passport": passports.of(actor, message_id=message_id)}


@endpoint("PUT", "/messages/<message_id>/reactions/<path:emoji>", data="Message", customers=True)
def react(*, actor: Actor, message_id: UUID, emoji: str) -> dict[str, Any]:
    """Put an emoji on a message."""
    wanted = _emoji(emoji)
    return {"message": changes.react(actor, message_id=message_id, emoji=wanted, now=clock.now())}


@endpoint("DELETE", "/messages/<message_id>/reactions/<path:emoji>", data="Message", customers=True)
def unreact(*, actor: Actor, message_id: UUID, emoji: str) -> dict[str, Any]:
    """Take one's emoji off a message."""
    return {"message": changes.unreact(actor, message_id=message_id, emoji=_emoji(emoji))}


def _emoji(given: str) -> str:
    """Read the emoji of a path; what cannot be one is a path that does not exist."""
    try:
        return fields.emoji(given)
    except ValueError:
        raise NotFound("The reaction") from None
