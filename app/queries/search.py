"""Finding messages by their pieces, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from app.kernel.events import MessageEvent
from app.models import Transaction
from app.models.arrays import array

LOOK_FOR = text("SELECT set_config('parley.looked_for', CAST(CAST(:terms AS text[]) AS text), true)")
FIND = text(
    "SELECT message_id, created_at FROM found_messages"
    " WHERE (CAST(:since AS timestamptz) IS NULL OR created_at >= :since)"
    " AND (CAST(:until AS timestamptz) IS NULL OR created_at < :until)"
    " AND (CAST(:above AS bigint) IS NULL OR seq > :above) AND (CAST(:below AS bigint) IS NULL OR seq < :below)"
    " AND (CAST(:at AS timestamptz) IS NULL OR (created_at, message_id) < (:at, CAST(:id AS uuid)))"
    " ORDER BY created_at DESC, message_id DESC LIMIT :limit"
)
FIND_NEAR = text(
    "SELECT found_id, found_at FROM parley_find(CAST(:me AS uuid), CAST(:only_in AS uuid), CAST(:terms AS text[]),"
    " CAST(:since AS timestamptz), LEAST(CAST(:until AS timestamptz), CAST(:at AS timestamptz)),"
    " CAST(:above AS bigint), CAST(:below AS bigint), :limit, :parts)"
    " WHERE found_id IS NULL OR ((CAST(:until AS timestamptz) IS NULL OR found_at < :until)"
    " AND (CAST(:at AS timestamptz) IS NULL OR (found_at, found_id) < (:at, CAST(:id AS uuid))))"
    " ORDER BY found_at DESC NULLS FIRST, found_id DESC LIMIT :limit"
)
BEHIND = text(
    "SELECT c.id FROM memberships me JOIN conversations c ON c.id = me.conversation_id"
    " LEFT JOIN found_up_to f ON f.conversation_id = c.id"
    " WHERE me.profile_id = :me AND me.left_at IS NULL AND c.deleted_at IS NULL AND c.head_seq > COALESCE(f.seq, 0)"
    " AND (CAST(:conversation_id AS uuid) IS NULL OR c.id = :conversation_id) ORDER BY c.active_at DESC LIMIT :limit"
)
BEHIND_SINCE = text(
    "SELECT c.id FROM conversations c LEFT JOIN found_up_to f ON f.conversation_id = c.id"
    " WHERE c.head_seq > COALESCE(f.seq, 0) AND (CAST(:since AS timestamptz) IS NULL OR c.updated_at > :since)"
    " LIMIT :limit"
)
BEGIN = text("INSERT INTO found_up_to (conversation_id, seq) VALUES (:id, 0) ON CONFLICT DO NOTHING")
HOLD = text("SELECT seq FROM found_up_to WHERE conversation_id = :id FOR UPDATE")
ADVANCE = text("UPDATE found_up_to SET seq = :seq WHERE conversation_id = :id")
FORGET = text("DELETE FROM found_messages WHERE conversation_id = :id AND seq = ANY(CAST(:seqs AS bigint[]))")
REMEMBER = text(
    "INSERT INTO found_messages (message_id, conversation_id, seq, created_at, terms)"
    " SELECT message_id, conversation_id, seq, created_at, ARRAY(SELECT jsonb_array_elements_text(terms))"
    " FROM jsonb_to_recordset(CAST(:rows AS jsonb))"
    " AS new(message_id uuid, conversation_id uuid, seq bigint, created_at timestamptz, terms jsonb)"
)
EVERYTHING: tuple[str, ...] = ()
Place = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class Span:
    """Between which instants, and which positions, messages are looked for; None is open."""

    since: datetime | None = None
    until: datetime | None = None
    above: int | None = None
    below: int | None = None


def find(tx: Transaction, terms: Sequence[str], span: Span, *, before: Place | None, limit: int) -> list[Place]:
    """Give the places (created at, id) of messages with all these pieces that this actor may see, newest first."""
    tx.execute(LOOK_FOR, {"terms": list(terms)})
    at, last_id = before or (None, None)
    values = {"since": span.since, "until": span.until, "above": span.above, "below": span.below}
    rows = tx.execute(FIND, {**values, "at": at, "id": last_id, "limit": limit})
    return [(row.created_at, row.message_id) for row in rows]


def find_near(
    tx: Transaction,
    terms: Sequence[str],
    conversation_id: UUID | None,
    span: Span,
    *,
    before: Place | None,
    limit: int,
    parts: int,
) -> list[Place] | None:
    """Give the same by reading this actor's conversations, part by part from their ends.

    So what is often said is found soon, and what others say elsewhere costs nothing. None where little is found in so many
    ``parts``: seldom said, it is found by ``find`` at once.
    """
    at, last_id = before or (None, None)
    values = {
        "since": span.since,
        "until": span.until,
        "above": span.above,
        "below": span.below,
        "at": at,
        "id": last_id,
    }
    whose = {"me": tx.actor.id, "only_in": conversation_id, "terms": list(terms), "limit": limit, "parts": parts}
    with tx.elevated():  # the function goes by this actor's memberships
        rows = tx.execute(FIND_NEAR, {**values, **whose}).all()
    if rows and rows[0].found_id is None:
        return None
    return [(row.found_at, row.found_id) for row in rows]


def behind(tx: Transaction, profile_id: UUID, conversation_id: UUID | None, limit: int) -> list[UUID]:
    """List someone's conversations whose newest changes cannot be found yet, the most active first."""
    values = {"me": profile_id, "conversation_id": conversation_id, "limit": limit}
    return list(tx.execute(BEHIND, values).scalars())


def behind_since(tx: Transaction, since: datetime | None, limit: int) -> list[UUID]:
    """List conversations that changed since an instant and whose newest changes cannot be found yet."""
    return list(tx.execute(BEHIND_SINCE, {"since": since, "limit": limit}).scalars())


def hold(tx: Transaction, conversation_id: UUID) -> int:
    """Give up to which position a conversation can be found, and keep others from moving it."""
    tx.execute(BEGIN, {"id": conversation_id})
    return int(tx.execute(HOLD, {"id": conversation_id}).scalar_one())


def replace(tx: Transaction, conversation_id: UUID, found: Sequence[tuple[MessageEvent, set[str]]], up_to: int) -> None:
    """Have messages found by these pieces (none: not at all), and a conversation up to a position."""
    tx.execute(LOOK_FOR, {"terms": list(EVERYTHING)})
    tx.execute(FORGET, {"id": conversation_id, "seqs": array(event["seq"] for event, _ in found)})
    rows = [_row(event, terms) for event, terms in found if terms]
    if rows:
        tx.change(REMEMBER, {"rows": orjson.dumps(rows).decode()})
    tx.change(ADVANCE, {"id": conversation_id, "seq": up_to})


def _row(event: MessageEvent, terms: set[str]) -> dict[str, Any]:
    return {
        "message_id": event["id"],
        "conversation_id": event["conversationId"],
        "seq": event["seq"],
        "created_at": event["createdAt"],
        "terms": sorted(terms),
    }
