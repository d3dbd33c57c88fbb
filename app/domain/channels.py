"""Channels: what a socket may listen to, by name."""

from __future__ import annotations

from uuid import UUID

from app.domain.access import member_of
from app.kernel.actor import Actor
from app.kernel.errors import NotFound
from app.kernel.ids import parse_id
from app.models import transaction

OF_A_CONVERSATION = frozenset({"conversation", "receipts", "typing", "presence"})


def conversation_of(channel: str) -> UUID | None:
    """Give the conversation that a channel belongs to, or None."""
    kind, _, rest = channel.partition(":")
    return parse_id(rest) if kind in OF_A_CONVERSATION else None


def authorise(actor: Actor, *, channel: str) -> None:
    """Make sure that the actor may listen to a channel; raises NotFound, whether it is absent or hidden."""
    conversation_id = conversation_of(channel)
    if conversation_id is not None:
        with transaction(actor) as tx:
            member_of(tx, actor, conversation_id)
    elif channel != own_messages(actor):
        raise NotFound("The channel")


def own_messages(actor: Actor) -> str | None:
    """Name the channel of all an actor's support conversations: a customer's, or a member of staff's."""
    if actor.kind == "customer":
        return f"customer:{actor.id}:messages"
    return f"staff:{actor.id}:messages" if actor.is_staff else None
