"""Where conversations stand, as fresh as can be told cheaply."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import text

from app.domain.access import Member, member_of
from app.domain.delivery import Standing
from app.kernel.actor import SYSTEM, Actor
from app.kernel.breaker import Down
from app.kernel.errors import NotFound
from app.live import hot
from app.models import transaction

HEADS = text("SELECT id, head_seq FROM conversations WHERE id = ANY(CAST(:ids AS uuid[]))")


def freshened(standings: list[Standing]) -> list[Standing]:
    """Read the heads again after the rooms were joined: Redis has them before anything is emitted."""
    ids = [standing.conversation_id for standing in standings]
    try:
        found = dict(zip(ids, hot.heads(ids), strict=True))
    except Down:
        with transaction(SYSTEM) as tx:
            found = {row.id: row.head_seq for row in tx.execute(HEADS, {"ids": [str(i) for i in ids]})}
    return [replace(s, head_seq=max(s.head_seq, found.get(s.conversation_id) or 0)) for s in standings]


def membership(profile_id: UUID, conversation_id: UUID) -> Member | None:
    """Find someone's membership of a conversation, or None where they are not in it."""
    actor = Actor(id=profile_id, kind="user")
    try:
        with transaction(actor) as tx:
            return member_of(tx, actor, conversation_id)
    except NotFound:
        return None
