"""The REST subscription: which channels an actor may hold, by name; joining them is the socket's affair."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.domain import channels
from app.domain.access import member_of
from app.kernel.actor import SYSTEM, Actor
from app.kernel.requests import Grant
from app.models import transaction
from app.outbound import bus
from app.queries import conversations as views

CONVERSATIONS_MAX = 200  # four channels each: no more than a socket may subscribe to at once
NOTICE_MOST = 50


def grant(actor: Actor, *, request: Grant) -> dict[str, Any]:
    """Name the channels of one conversation, or without one those of the actor's own; raises NotFound."""
    with transaction(actor) as tx:
        if request.conversation_id is not None:
            member_of(tx, actor, request.conversation_id)
            ids = [request.conversation_id]
        else:
            ids = [row.id for row in views.heads(tx)][:CONVERSATIONS_MAX]
    own = channels.own_messages(actor) if request.conversation_id is None else None
    return {
        "channels": [*([own] if own else []), *_of(ids, request)],
        "features": {
            "messages": True,
            "readReceipts": request.include_read_receipts,
            "typing": request.include_typing,
            "presence": request.include_presence,
        },
        "filters": {
            "userId": None if actor.kind == "customer" else str(actor.id),
            "customerId": str(actor.id) if actor.kind == "customer" else None,
            "conversationId": str(request.conversation_id) if request.conversation_id else None,
        },
    }


def _of(conversation_ids: list[UUID], request: Grant) -> list[str]:
    wanted = {
        "conversation": True,
        "receipts": request.include_read_receipts,
        "typing": request.include_typing,
        "presence": request.include_presence,
    }
    kinds = [kind for kind, is_wanted in wanted.items() if is_wanted]
    return [f"{kind}:{conversation_id}" for conversation_id in conversation_ids for kind in kinds]


def end(actor: Actor, *, names: list[str] | None) -> list[str]:
    """Take the sockets of this credential out of channels, on every process; gives their names.

    Without names: out of all that were subscribed to. The conversations' own rooms, which a connection joins by itself,
    are left by name only.
    """
    ended = names
    if ended is None:
        granted = grant(actor, request=Grant())["channels"]
        ended = [name for name in granted if not name.startswith("conversation:")]
    with transaction(SYSTEM) as tx:
        for start in range(0, len(ended) if actor.session_id else 0, NOTICE_MOST):
            some = ended[start : start + NOTICE_MOST]
            bus.announce(tx, "channels", sessionId=str(actor.session_id), channels=some)
    return ended
