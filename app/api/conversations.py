"""Conversations, their members and their history."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.api.endpoint import endpoint
from app.domain import conversations, memberships, messages, reading
from app.kernel import clock, cursor, query as query_models, requests as wire
from app.kernel.actor import Actor


@endpoint("POST", "/conversations", body=wire.CreateConversation, data="Conversation", made=True, customers=True)
def create(*, actor: Actor, body: wire.CreateConversation) -> tuple[dict[str, Any], int]:
    """Make a group or room, or find or make the direct conversation with someone."""
    found, is_new = conversations.create(actor, request=body, now=clock.now())
    return {"conversation": found}, 201 if is_new else 200


@endpoint(
    "GET", "/conversations", query=query_models.ConversationsQuery, data="Page of ConversationView", customers=True
)
def mine(*, actor: Actor, query: query_models.ConversationsQuery) -> dict[str, Any]:
    """List one's conversations, the most recently active first."""
    items, following = conversations.mine(
        actor, kind=query.kind, archived=query.archived, limit=query.limit, after=cursor.to_instant(query.cursor)
    )
    return {"items": items, "nextCursor": cursor.of_instant(following)}


@endpoint("GET", "/conversations/with/<username>", data="Opened")
def with_person(*, actor: Actor, username: str) -> dict[str, Any]:
    """Open the direct conversation with someone, made if absent, with its last 50 messages."""
    conversation_id, _ = conversations.direct_with(actor, username=username, now=clock.now())
    page = messages.history(actor, conversation_id=conversation_id, limit=50)
    found = conversations.get(actor, conversation_id=conversation_id)
    return {"conversation": found, **{name: page[name] for name in ("items", "hasBefore", "upToSeq")}}


@endpoint("GET", "/conversations/<room>", data="Conversation", customers=True)
def one(*, actor: Actor, room: str) -> dict[str, Any]:
    """Read a conversation."""
    return {"conversation": conversations.get(actor, conversation_id=_id(room))}


@endpoint("PATCH", "/conversations/<room>", body=wire.PatchConversation, data="Conversation")
def patch(*, actor: Actor, room: str, body: wire.PatchConversation) -> dict[str, Any]:
    """Change a group's or room's title, topic, slug or visibility."""
    return {"conversation": conversations.patch(actor, conversation_id=_id(room), request=body, now=clock.now())}


@endpoint("DELETE", "/conversations/<room>", data="Ended")
def end(*, actor: Actor, room: str) -> dict[str, Any]:
    """End a group or room."""
    conversation_id = _id(room)
    conversations.end(actor, conversation_id=conversation_id, now=clock.now())
    return {"ended": str(conversation_id)}


@endpoint(
    "GET", "/conversations/<room>/members", query=query_models.ListQuery, data="Page of MemberView", customers=True
)
def members(*, actor: Actor, room: str, query: query_models.ListQuery) -> dict[str, Any]:
    """List the members, oldest first."""
    items, following = memberships.members(
        actor, conversation_id=_id(room), limit=query.limit, after=cursor.to_instant(query.cursor)
    )
    return {"items": items, "nextCursor": cursor.of_instant(following)}


@endpoint("POST", "/conversations/<room>/members", body=wire.AddMember, data="Member", made=True)
def add_member(*, actor: Actor, room: str, body: wire.AddMember) -> tuple[dict[str, Any], int]:
    """Add someone."""
    conversation_id = _id(room)
    found, is_new = memberships.add(
        actor, conversation_id=conversation_id, username=body.username, role=body.role, now=clock.now()
    )
    conversation = conversations.get(actor, conversation_id=conversation_id)
    return {"member": found, "conversation": conversation}, 201 if is_new else 200


@endpoint("DELETE", "/conversations/<room>/members/<profile_id>", data="Removed")
def remove_member(*, actor: Actor, room: str, profile_id: UUID) -> dict[str, Any]:
    """Take someone out."""
    memberships.remove(actor, conversation_id=_id(room), profile_id=profile_id, now=clock.now())
    return {"removed": str(profile_id)}


@endpoint("POST", "/conversations/<room>/join", data="Conversation")
def join(*, actor: Actor, room: str) -> dict[str, Any]:
    """Join a public room."""
    conversation_id = _id(room)
    memberships.join(actor, conversation_id=conversation_id, now=clock.now())
    return {"conversation": conversations.get(actor, conversation_id=conversation_id)}


@endpoint("POST", "/conversations/<room>/leave", data="Left")
def leave(*, actor: Actor, room: str) -> dict[str, Any]:
    """Leave a group or room."""
    conversation_id = _id(room)
    memberships.leave(actor, conversation_id=conversation_id, now=clock.now())
    return {"left": str(conversation_id)}


@endpoint("PUT", "/conversations/<room>/settings", body=wire.Settings, data="Conversation", customers=True)
def configure(*, actor: Actor, room: str, body: wire.Settings) -> dict[str, Any]:
    """Mute, archive, pin, or choose what one is notified of: for oneself alone."""
    return {"conversation": conversations.configure(actor, conversation_id=_id(room), request=body)}


@endpoint("GET", "/conversations/<room>/messages", query=query_models.HistoryQuery, data="History", customers=True)
def history(*, actor: Actor, room: str, query: query_models.HistoryQuery) -> dict[str, Any]:
    """Read a page of history by ``seq``, ascending."""
    return dict(
        messages.history(
            actor,
            conversation_id=_id(room),
            limit=query.limit,
            before=query.before,
            after=query.after,
            around=query.around,
        )
    )


@endpoint("GET", "/conversations/<room>/unread", data="Recount", customers=True)
def recount(*, actor: Actor, room: str) -> dict[str, Any]:
    """Count again what is unread, message by message, and show why it comes to that."""
    return reading.recount(actor, conversation_id=_id(room))


def _id(room: str) -> UUID:
    return conversations.by_room_ref(room)
