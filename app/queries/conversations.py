"""Conversations as one member sees them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from app.kernel import clock, limits
from app.models import Transaction
from app.queries import messages, unread

Conversation = dict[str, Any]

SEEN = """
SELECT me.profile_id, c.id, c.kind, c.slug, c.title, c.topic, c.visibility, c.version, c.head_seq, c.member_count, c.created_at,
       c.updated_at, c.active_at, c.customer_id, c.status, c.assignee_id,
       me.role, me.read_seq, me.received_seq, me.muted, me.archived, me.pinned,
       me.notifications,
       (SELECT m.id FROM messages m WHERE m.conversation_id = c.id AND m.seq > me.history_from_seq
         ORDER BY m.seq DESC LIMIT 1) AS last_message_id, {unread}
  FROM memberships me JOIN conversations c ON c.id = me.conversation_id
 WHERE me.left_at IS NULL AND c.deleted_at IS NULL
""".replace("{unread}", unread.COLUMNS)
MINE = SEEN + " AND me.profile_id = :me"
OF_MEMBERS = text(
    SEEN + " AND (me.conversation_id, me.profile_id) IN"
    " (SELECT * FROM unnest(CAST(:conversations AS uuid[]), CAST(:profiles AS uuid[])))"
)
ONE = text(MINE + " AND c.id = :conversation_id")
LIST = text(
    MINE + " AND (CAST(:kind AS text) IS NULL OR c.kind = :kind)"
    " AND (CAST(:archived AS boolean) IS NULL OR me.archived = :archived)"
    " AND (CAST(:at AS timestamptz) IS NULL OR (c.active_at, c.id) < (:at, CAST(:id AS uuid)))"
    " ORDER BY c.active_at DESC, c.id DESC LIMIT :limit"
)
PARTICIPANTS = text(
    "SELECT w.* FROM unnest(CAST(:ids AS uuid[])) AS wanted(id), LATERAL ("
    " SELECT me.conversation_id, p.id, p.kind, p.username, p.display_name, p.avatar_url, me.role"
    "   FROM memberships me JOIN profiles p ON p.id = me.profile_id"
    "   JOIN conversations c ON c.id = me.conversation_id"
    "  WHERE me.conversation_id = wanted.id AND me.left_at IS NULL"
    "    AND (c.kind <> 'support' OR p.kind = 'customer' OR p.id = c.assignee_id OR EXISTS (SELECT 1 FROM messages m"
    "      WHERE m.conversation_id = c.id AND m.sender_id = p.id))"  # all staff are members: show those who take part
    "  ORDER BY me.joined_at, p.id LIMIT :shown) w"
)
MEMBERS = text(
    "SELECT p.id, p.kind, p.username, p.display_name, p.avatar_url, me.role, me.joined_at"
    "  FROM memberships me JOIN profiles p ON p.id = me.profile_id"
    " WHERE me.conversation_id = :conversation_id AND me.left_at IS NULL"
    "   AND (CAST(:at AS timestamptz) IS NULL OR (me.joined_at, p.id) > (:at, CAST(:id AS uuid)))"
    " ORDER BY me.joined_at, p.id LIMIT :limit"
)
HEADS = text(
    "SELECT c.id, c.kind, c.head_seq, c.version, me.received_seq, me.read_seq, me.history_from_seq"
    "  FROM memberships me JOIN conversations c ON c.id = me.conversation_id"
    " WHERE me.profile_id = :me AND me.left_at IS NULL AND c.deleted_at IS NULL ORDER BY c.active_at DESC, c.id DESC"
)
INBOX = text(
    MINE + " AND c.kind = 'support' AND (CAST(:status AS text) IS NULL OR c.status = :status)"
    " AND (CAST(:assignee AS uuid) IS NULL OR c.assignee_id = :assignee)"
    " AND (CAST(:at AS timestamptz) IS NULL OR (c.active_at, c.id) < (:at, CAST(:id AS uuid)))"
    " ORDER BY c.active_at DESC, c.id DESC LIMIT :limit"
)
ROOMS = text(
    "SELECT c.id, c.slug, c.title, c.topic, c.member_count, EXISTS (SELECT 1 FROM memberships me"
    "   WHERE me.conversation_id = c.id AND me.profile_id = :me AND me.left_at IS NULL) AS is_member"
    "  FROM conversations c WHERE c.kind = 'room' AND c.visibility = 'public' AND c.deleted_at IS NULL"
    "   AND c.slug > :after AND (:q = '' OR c.slug LIKE :pattern OR lower(c.title) LIKE :pattern)"
    " ORDER BY c.slug LIMIT :limit"
)


def one(tx: Transaction, conversation_id: UUID) -> Conversation | None:
    """Read a conversation as this actor sees it, or None where they are not in it. Run under ``snapshot``."""
    rows = _counted(tx, ONE, {"me": tx.actor.id, "conversation_id": conversation_id})
    return _views(tx, rows)[0] if rows else None


def of_members(tx: Transaction, pairs: Sequence[tuple[UUID, UUID]]) -> list[tuple[UUID, Conversation]]:
    """Read conversations as each of some members sees them, for Parley itself; ``pairs`` are (conversation, member)."""
    values = {"conversations": [str(c) for c, _ in pairs], "profiles": [str(p) for _, p in pairs]}
    rows = tx.execute(OF_MEMBERS, values).all()
    return list(zip([row.profile_id for row in rows], _views(tx, rows), strict=True))


def mine(
    tx: Transaction, *, kind: str | None, archived: bool | None, limit: int, after: tuple[datetime, UUID] | None
) -> tuple[list[Conversation], tuple[datetime, UUID] | None]:
    """List this actor's conversations, most recent activity first, with the place where the next page begins."""
    at, last_id = after or (None, None)
    values = {"me": tx.actor.id, "kind": kind, "archived": archived, "at": at, "id": last_id, "limit": limit + 1}
    rows = _counted(tx, LIST, values)
    following = (rows[limit - 1].active_at, rows[limit - 1].id) if len(rows) > limit else None
    return _views(tx, rows[:limit]), following


def inbox(
    tx: Transaction, *, status: str | None, assignee: UUID | None, limit: int, after: tuple[datetime, UUID] | None
) -> tuple[list[Conversation], tuple[datetime, UUID] | None]:
    """List the support conversations that this member of staff is in, most recent activity first."""
    at, last_id = after or (None, None)
    values = {"me": tx.actor.id, "status": status, "assignee": assignee, "at": at, "id": last_id, "limit": limit + 1}
    rows = _counted(tx, INBOX, values)
    following = (rows[limit - 1].active_at, rows[limit - 1].id) if len(rows) > limit else None
    return _views(tx, rows[:limit]), following


def members(
    tx: Transaction, conversation_id: UUID, *, limit: int, after: tuple[datetime, UUID] | None
) -> tuple[list[dict[str, Any]], tuple[datetime, UUID] | None]:
    """List a conversation's members, oldest first."""
    at, last_id = after or (None, None)
    rows = tx.execute(MEMBERS, {"conversation_id": conversation_id, "at": at, "id": last_id, "limit": limit + 1}).all()
    following = (rows[limit - 1].joined_at, rows[limit - 1].id) if len(rows) > limit else None
    return [{**participant(row), "joinedAt": clock.wire(row.joined_at)} for row in rows[:limit]], following


def heads(tx: Transaction) -> list[Any]:
    """Read where each of this actor's conversations stands: all of them, newest activity first."""
    return list(tx.execute(HEADS, {"me": tx.actor.id}))


def public_rooms(tx: Transaction, *, q: str, limit: int, after: str) -> tuple[list[dict[str, Any]], str | None]:
    """List the rooms that anyone may join, by slug."""
    values = {"me": tx.actor.id, "q": q, "pattern": _contains(q), "after": after, "limit": limit + 1}
    rows = tx.execute(ROOMS, values).all()
    items = [
        {
            "id": str(r.id),
            "slug": r.slug,
            "title": r.title,
            "topic": r.topic,
            "memberCount": r.member_count,
            "isMember": r.is_member,
        }
        for r in rows[:limit]
    ]
    return items, rows[limit - 1].slug if len(rows) > limit else None


def _contains(q: str) -> str:
    escaped = q.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _counted(tx: Transaction, statement: TextClause, values: dict[str, Any]) -> list[Any]:
    """Run one of the statements that ask for own memberships only and count what is unread in each.

    Row security would be asked for each message that is counted, and be nearly all of the cost.
    """
    with tx.elevated():
        return list(tx.execute(statement, values))


def _views(tx: Transaction, rows: Sequence[Any]) -> list[Conversation]:
    people = _participants(tx, list({row.id for row in rows}))
    last_ids = {row.last_message_id for row in rows if row.last_message_id}
    last = {event["id"]: event for event in messages.by_ids(tx, last_ids)} if last_ids else {}
    return [_view(row, people[row.id], last.get(str(row.last_message_id))) for row in rows]


def _view(row: Any, participants: list[dict[str, Any]], last_message: Any) -> Conversation:
    customer = next((one for one in participants if one["id"] == str(row.customer_id)), None)
    support = {
        "customer": {name: customer[name] for name in ("id", "displayName", "avatarUrl")} if customer else None,
        "status": row.status,
        "assigneeId": str(row.assignee_id) if row.assignee_id else None,
    }
    return {
        **(support if row.kind == "support" else {}),
        "id": str(row.id),
        "kind": row.kind,
        "slug": row.slug,
        "title": row.title,
        "topic": row.topic,
        "visibility": row.visibility,
        "participants": participants,
        "memberCount": row.member_count,
        "role": row.role,
        "lastMessage": last_message,
        "unreadCount": row.unread,
        "mentionCount": row.mentioned,
        "version": row.version,
        "headSeq": row.head_seq,
        "readSeq": row.read_seq,
        "receivedSeq": row.received_seq,
        "muted": row.muted,
        "archived": row.archived,
        "pinned": row.pinned,
        "notifications": row.notifications,
        "createdAt": clock.wire(row.created_at),
        "updatedAt": clock.wire(row.updated_at),
    }


def _participants(tx: Transaction, ids: list[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    people: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    if ids:
        for row in tx.execute(PARTICIPANTS, {"ids": [str(i) for i in ids], "shown": limits.PARTICIPANTS_SHOWN}):
            people[row.conversation_id].append(participant(row))
    return people


def participant(row: Any) -> dict[str, Any]:
    """Turn a row into a participant."""
    return {
        "id": str(row.id),
        "kind": row.kind,
        "username": row.username,
        "displayName": row.display_name,
        "avatarUrl": row.avatar_url,
        "role": row.role,
    }
