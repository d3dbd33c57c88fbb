"""A message's passport: its way from acceptance to each reader, as far as it is known."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.domain import messages
from app.kernel.actor import Actor
from app.models import transaction
from app.queries import passports as views


def of(actor: Actor, *, message_id: UUID) -> dict[str, Any]:
    """Give a message's passport to one who may see the message; raises NotFound, or Unavailable before its commit."""
    messages.wait_until_committed(message_id)
    with transaction(actor, snapshot=True) as tx:
        found = messages.visible(tx, message_id)
        entries, more = views.timeline(tx, message_id)
    return {
        "messageId": found["id"],
        "conversationId": found["conversationId"],
        "senderId": found["senderId"],
        "seq": found["seq"],
        "timeline": entries,
        "hasMore": more,
    }
