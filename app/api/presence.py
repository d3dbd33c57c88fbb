"""Who is here."""

from __future__ import annotations

from typing import Any

from app.api.endpoint import endpoint
from app.domain import conversations, presence
from app.kernel import query as query_models
from app.kernel.actor import Actor


@endpoint("GET", "/presence", query=query_models.PresenceQuery, data="Items of PresenceEvent", customers=True)
def of_people(*, actor: Actor, query: query_models.PresenceQuery) -> dict[str, Any]:
    """Give the presence of people whom one shares a conversation with."""
    return {"items": presence.of_people(actor, ids=query.ids)}


@endpoint("GET", "/conversations/<room>/presence", data="Items of PresenceEvent", customers=True)
def of_members(*, actor: Actor, room: str) -> dict[str, Any]:
    """Give the presence of a conversation's members."""
    return {"items": presence.of_members(actor, conversation_id=conversations.by_room_ref(room))}
