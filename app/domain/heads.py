"""Where conversations stand, as fresh as can be told cheaply."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from app.domain.delivery import Standing
from app.kernel.actor import SYSTEM
from app.kernel.breaker import Down
from app.live import hot
from app.models import transaction

HEADS = text("SELECT id, head_seq FROM conversations WHERE id = ANY(CAST(:ids AS uuid[]))")

MEMBERSHIPS = text(
    "SELECT c.id, c.kind, me.history_from_seq FROM memberships me JOIN conversations c ON c.id = me.conversation_id"
    " WHERE me.conversation_id = ANY(CAST(:ids AS uuid[])) AND me.profile_id = :me AND me.left_at IS NULL"
    " AND c.deleted_at IS NULL"
)


class Membership(NamedTuple):
    """What a socket must know of a membership."""

    kind: str
    history_from_seq: int


def freshened(standings: list[Standing]) -> list[Standing]:
    """Read the heads again after the rooms were joined: Redis has them before anything is emitted."""
    ids = [standing.conversation_id for standing in standings]
    try:
        found = dict(zip(ids, hot.heads(ids), strict=True))
    except Down:
        with transaction(SYSTEM) as tx:
            found = {row.id: row.head_seq for row in tx.alone(HEADS, {"ids": [str(i) for i in ids]})}
    return [replace(s, head_seq=max(s.head_seq, found.get(s.conversation_id) or 0)) for s in standings]


def memberships(profile_id: UUID, conversation_ids: Iterable[UUID]) -> dict[UUID, Membership]:
    """Find which of these conversations someone is in."""
    with transaction(SYSTEM) as tx:
        rows = tx.alone(MEMBERSHIPS, {"me": profile_id, "ids": [str(one) for one in conversation_ids]})
        return {row.id: Membership(row.kind, row.history_from_seq) for row in rows}
