"""Whom to mail of what they missed, and what that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.kernel.limits import COUNT_CAP
from app.models import Transaction

ACTIVE = text(
    "SELECT id FROM conversations WHERE updated_at > :since AND head_seq > 0 AND deleted_at IS NULL AND id > :after"
    " ORDER BY id LIMIT :limit"
)
# Who was seen last before the delay began, was not mailed since then or long enough ago (the pause doubles with each mail that
# brought nobody back), and has something between what they were told of and the head.
DUE = (
    "SELECT DISTINCT p.id, seen.at AS seen_at, seen.delay FROM memberships me"
    " JOIN conversations c ON c.id = me.conversation_id JOIN profiles p ON p.id = me.profile_id"
    " LEFT JOIN notification_settings n ON n.profile_id = p.id LEFT JOIN user_presence s ON s.profile_id = p.id"
    " LEFT JOIN users u ON u.profile_id = p.id LEFT JOIN customers k ON k.profile_id = p.id"
    " CROSS JOIN LATERAL (SELECT COALESCE(s.last_seen_at, p.created_at) AS at,"
    "   make_interval(mins => COALESCE(n.delay_minutes, :delay)) AS delay) seen"
    " CROSS JOIN LATERAL (SELECT count(*) AS mails, max(l.created_at) AS latest FROM letters l WHERE l.profile_id = p.id"
    "   AND l.kind = 'digest' AND l.state <> 'dropped' AND l.created_at > seen.at) told"
    " WHERE me.left_at IS NULL AND NOT me.muted AND me.notifications <> 'none' AND c.deleted_at IS NULL"
    " AND c.head_seq > GREATEST(me.read_seq, me.notified_seq) AND p.disabled_at IS NULL"
    " AND COALESCE(n.email, :email) <> 'off' AND COALESCE(u.email, k.email) IS NOT NULL AND seen.at + seen.delay <= :now"
    " AND (told.mails = 0 OR told.latest + LEAST(seen.delay * power(2, LEAST(told.mails, 12) - 1), interval '1 day') <= :now)"
    " AND NOT EXISTS (SELECT 1 FROM letters l WHERE l.profile_id = p.id AND l.kind = 'digest' AND l.ended_at IS NULL)"
    " AND c.updated_at > :since"
)
DUE_OF = text(DUE + " AND me.conversation_id = ANY(CAST(:conversations AS uuid[])) ORDER BY p.id LIMIT 2000")
DUE_ONE = text(DUE + " AND me.profile_id = :profile_id LIMIT 1")
PERSON = text(
    "SELECT p.id, p.kind, p.display_name, COALESCE(u.email, k.email) AS address FROM profiles p"
    " LEFT JOIN users u ON u.profile_id = p.id LEFT JOIN customers k ON k.profile_id = p.id"
    " WHERE p.id = :id AND p.disabled_at IS NULL"
)
# Own and deleted messages, what was read meanwhile, and conversations left meanwhile are not among it. Of a support
# conversation that somebody has taken on, the rest of staff are not told.
MISSED = text(
    "SELECT c.id AS conversation_id, c.kind, c.title, c.slug, (c.customer_id = me.profile_id) AS is_customer, k.display_name"
    "  AS customer, m.id, m.seq, m.content, m.message_type, m.created_at, m.sender, m.is_mention"
    " FROM unnest(CAST(:conversations AS uuid[]), CAST(:afters AS bigint[]), CAST(:tos AS bigint[])) AS told(id, after, up_to)"
    " JOIN conversations c ON c.id = told.id AND c.deleted_at IS NULL"
    " JOIN memberships me ON me.conversation_id = c.id AND me.profile_id = :me AND me.left_at IS NULL AND NOT me.muted"
    "  AND me.notifications <> 'none' LEFT JOIN profiles k ON k.id = c.customer_id"
    " CROSS JOIN LATERAL (SELECT m.id, m.seq, m.content, m.message_type, m.created_at, s.display_name AS sender,"
    "   (n.profile_id IS NOT NULL) AS is_mention FROM messages m JOIN profiles s ON s.id = m.sender_id"
    "   LEFT JOIN mentions n ON n.message_id = m.id AND n.profile_id = :me"
    "   WHERE m.conversation_id = c.id AND m.seq > GREATEST(told.after, me.read_seq, me.history_from_seq)"
    "   AND m.seq <= told.up_to AND m.sender_id <> :me AND m.deleted_at IS NULL"
    "   AND (n.profile_id IS NOT NULL OR (me.notifications = 'all' AND :email = 'all' AND (c.kind <> 'support'"
    "     OR c.customer_id = :me OR c.assignee_id IS NULL OR c.assignee_id = :me)))"
    f"   ORDER BY m.seq LIMIT {COUNT_CAP}) m"
    " ORDER BY c.id, m.seq"
)


def active(tx: Transaction, *, since: datetime, after: UUID, limit: int) -> list[UUID]:
    """List conversations in which something happened lately, by id."""
    return [row.id for row in tx.execute(ACTIVE, {"since": since, "after": after, "limit": limit})]


def due(
    tx: Transaction, conversations: Sequence[UUID], *, now: datetime, since: datetime, email: str, delay: int
) -> list[Any]:
    """List who may be mailed now of these conversations: rows with id, seen_at and delay."""
    values = {"now": now, "since": since, "email": email, "delay": delay}
    return list(tx.execute(DUE_OF, {**values, "conversations": [str(i) for i in conversations]}))


def is_due(tx: Transaction, profile_id: UUID, *, now: datetime, since: datetime, email: str, delay: int) -> bool:
    """Tell whether someone may be mailed now."""
    values = {"now": now, "since": since, "email": email, "delay": delay}
    return tx.execute(DUE_ONE, {**values, "profile_id": profile_id}).first() is not None


def person(tx: Transaction, profile_id: UUID) -> Any | None:
    """Read whom a letter goes to: id, kind, display_name and address; None where they are gone."""
    return tx.execute(PERSON, {"id": profile_id}).one_or_none()


def missed(tx: Transaction, profile_id: UUID, ranges: Mapping[str, Sequence[int]], *, email: str) -> list[Any]:
    """Read what someone missed in ranges of positions, by conversation and position; at most 100 of a conversation."""
    told = {
        "conversations": list(ranges),
        "afters": [r[0] for r in ranges.values()],
        "tos": [r[1] for r in ranges.values()],
    }
    return list(tx.execute(MISSED, {**told, "me": profile_id, "email": email}))
