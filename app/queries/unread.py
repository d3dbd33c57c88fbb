"""What is unread. Own and deleted messages never are; counting stops at the cap and costs the same in any history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.kernel import clock, limits
from app.models import Transaction

RECOUNT_MAX = 20_000
# Columns for a statement that has memberships as ``me`` and conversations as ``c``.
COLUMNS = """
    CASE WHEN c.head_seq <= me.read_seq THEN 0 ELSE parley_unread(c.id, me.profile_id,
      GREATEST(me.read_seq, me.history_from_seq), c.head_seq, {cap}) END AS unread,
    (SELECT count(*) FROM (SELECT 1 FROM mentions n JOIN messages m ON m.id = n.message_id WHERE n.conversation_id = c.id
       AND n.profile_id = me.profile_id AND n.seq > me.read_seq AND m.sender_id <> me.profile_id LIMIT {cap}) u) AS mentioned
""".replace("{cap}", str(limits.COUNT_CAP))
COUNTS = text(
    "SELECT c.id, " + COLUMNS + " FROM memberships me JOIN conversations c ON c.id = me.conversation_id"
    " WHERE me.profile_id = :me AND me.left_at IS NULL AND c.deleted_at IS NULL AND c.head_seq > me.read_seq"
    " AND (CAST(:c AS uuid) IS NULL OR c.id = :c)"
)
RECOUNT = text(
    "SELECT count(*) AS looked, count(*) FILTER (WHERE w.sender_id = :me) AS own,"
    " count(*) FILTER (WHERE w.sender_id <> :me AND w.deleted_at IS NOT NULL) AS deleted FROM (SELECT sender_id, deleted_at"
    f"   FROM messages WHERE conversation_id = :c AND seq > :after ORDER BY seq LIMIT {RECOUNT_MAX}) w"
)
UNREAD = text(
    "SELECT w.id, w.seq, w.sender_id, w.created_at, w.named FROM (SELECT m.id, m.seq, m.sender_id, m.created_at,"
    "   m.deleted_at, EXISTS (SELECT 1 FROM mentions n WHERE n.message_id = m.id AND n.profile_id = :me) AS named"
    "   FROM messages m WHERE m.conversation_id = :c AND m.seq > :after ORDER BY m.seq"
    f"  LIMIT {RECOUNT_MAX}) w WHERE w.sender_id <> :me AND w.deleted_at IS NULL ORDER BY w.seq LIMIT {limits.COUNT_CAP}"
)


@dataclass(frozen=True, slots=True)
class Count:
    """What is unread in a conversation, and how much of it names the reader; both stop at the cap."""

    unread: int = 0
    mentioned: int = 0


def counts(tx: Transaction, conversation_id: UUID | None = None) -> dict[UUID, Count]:
    """Count what is unread for this actor, in one conversation or in all; those that have not moved are left out."""
    with tx.elevated():  # it asks for own memberships only; row security for each message would be most of the cost
        rows = tx.execute(COUNTS, {"me": tx.actor.id, "c": conversation_id}).all()
    return {row.id: Count(row.unread, row.mentioned) for row in rows}


def recount(tx: Transaction, conversation_id: UUID, after: int) -> dict[str, Any]:
    """Count again by looking at each message after a position (the first 20,000), and show what was found and left out."""
    values = {"c": conversation_id, "me": tx.actor.id, "after": after}
    seen = tx.execute(RECOUNT, values).one()
    rows = tx.execute(UNREAD, values).all()
    items = [
        {
            "messageId": str(row.id),
            "seq": row.seq,
            "senderId": str(row.sender_id),
            "createdAt": clock.wire(row.created_at),
            "mentionsMe": row.named,
        }
        for row in rows
    ]
    return {
        "recount": seen.looked - seen.own - seen.deleted,
        "looked": seen.looked,
        "own": seen.own,
        "deleted": seen.deleted,
        "items": items,
    }
