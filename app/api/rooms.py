"""Rooms: browsing, and catching up by room."""

from __future__ import annotations

from typing import Any

from app.api.endpoint import endpoint
from app.domain import conversations, delivery
from app.kernel import cursor, query as query_models
from app.kernel.actor import Actor
from app.kernel.errors import Forbidden


@endpoint("GET", "/rooms", query=query_models.RoomsQuery, data="Page of RoomView")
def browse(*, actor: Actor, query: query_models.RoomsQuery) -> dict[str, Any]:
    """List the rooms that anyone may join."""
    items, following = conversations.public_rooms(
        actor, q=query.q, limit=query.limit, after=cursor.to_text(query.cursor)
    )
    return {"items": items, "nextCursor": cursor.of_text(following)}


@endpoint("GET", "/rooms/<room>/rejoin", query=query_models.RejoinQuery, data="Missed", customers=True)
def rejoin(*, actor: Actor, room: str, query: query_models.RejoinQuery) -> dict[str, Any]:
    """Give what one missed: everything created or changed since, however long ago."""
    conversation_id = conversations.by_room_ref(room)
    known = delivery.known_member(actor, conversation_id)
    missed = delivery.catch_up(
        actor, conversation_id=conversation_id, after=query.after, limit=query.limit, known=known
    )
    if query.user_id is not None and query.user_id != actor.id:
        raise Forbidden("userId may only be one's own.")
    return dict(missed)
