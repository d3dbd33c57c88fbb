"""Messages as the wire shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.kernel import clock
from app.kernel.events import MessageEvent, Page
from app.models import Transaction
from app.queries import attachments

Place = tuple[str, int]  # a message's id and seq
COLUMNS = """
    m.id, m.conversation_id, m.seq, m.changed_seq, m.client_message_id, m.content, m.message_type, m.sender_type,
    m.sender_id, p.username, p.display_name, p.avatar_url, m.created_at, m.edited_at, m.deleted_at, m.reply_to_id,
    m.thread_root_id, m.reply_count, m.root_reply_count, m.metadata,
    (SELECT json_agg(json_build_object('emoji', r.emoji, 'count', r.n, 'reactorIds', r.ids) ORDER BY r.at, r.emoji)
       FROM (SELECT emoji, count(*) AS n, array_agg(profile_id ORDER BY created_at, profile_id) AS ids,
                    min(created_at) AS at FROM reactions WHERE message_id = m.id GROUP BY emoji) r) AS reactions,
    (SELECT array_agg(n.profile_id::text ORDER BY n.profile_id) FROM mentions n WHERE n.message_id = m.id) AS mentions,
    {attachments} AS attachments
""".replace("{attachments}", attachments.OF_MESSAGE)
FROM = " FROM messages m JOIN profiles p ON p.id = m.sender_id "
WINDOW = """
SELECT c.head_seq, w.* FROM conversations c LEFT JOIN LATERAL (
    SELECT {columns} {source} WHERE m.conversation_id = c.id AND {where} ORDER BY {order} LIMIT :limit
) w ON true WHERE c.id = :conversation_id
"""


def _window(where: str, order: str) -> Any:
    return text(WINDOW.format(columns=COLUMNS, source=FROM, where=where, order=order))


NEWEST = _window("m.seq > :floor", "m.seq DESC")
BEFORE = _window("m.seq > :floor AND m.seq < :pivot", "m.seq DESC")
AFTER = _window("m.seq > GREATEST(:floor, :pivot)", "m.seq")
AROUND = text(
    "SELECT c.head_seq, w.* FROM conversations c LEFT JOIN LATERAL ("
    f"(SELECT {COLUMNS} {FROM} WHERE m.conversation_id = c.id AND m.seq > :floor AND m.seq <= :pivot"
    " ORDER BY m.seq DESC LIMIT :below) UNION ALL"
    f"(SELECT {COLUMNS} {FROM} WHERE m.conversation_id = c.id AND m.seq > GREATEST(:floor, :pivot)"
    " ORDER BY m.seq LIMIT :above)) w ON true WHERE c.id = :conversation_id"
)
BY_IDS = text(
    f"SELECT {COLUMNS} {FROM} WHERE m.id = ANY(CAST(:ids AS uuid[])) ORDER BY m.conversation_id, m.changed_seq, m.seq"
)
REPLIES_AT = text(
    f"SELECT {COLUMNS} {FROM} JOIN unnest(CAST(:roots AS uuid[]), CAST(:positions AS bigint[])) AS told(root, position)"
    " ON told.root = m.thread_root_id AND told.position = m.changed_seq"
)
THREAD = text(f"SELECT {COLUMNS} {FROM} WHERE m.id = :root OR m.thread_root_id = :root ORDER BY m.seq LIMIT :limit")
PLACES = text(
    "SELECT c.head_seq,"
    " (SELECT (m.id, m.seq)::text FROM messages m WHERE m.conversation_id = c.id AND m.seq <= :received"
    "  ORDER BY m.seq DESC LIMIT 1) AS received,"
    " (SELECT (m.id, m.seq)::text FROM messages m WHERE m.conversation_id = c.id ORDER BY m.seq DESC LIMIT 1) AS latest"
    " FROM conversations c WHERE c.id = :conversation_id"
)
STANDS = text(
    "SELECT c.id, c.head_seq,"
    " (SELECT (m.id, m.seq)::text FROM messages m WHERE m.conversation_id = c.id ORDER BY m.seq DESC LIMIT 1) AS latest"
    " FROM conversations c WHERE c.id = ANY(CAST(:ids AS uuid[]))"
)


def event(row: Any) -> MessageEvent:
    """Turn a row of ``COLUMNS`` into its wire form."""
    return {
        "id": str(row.id),
        "conversationId": str(row.conversation_id),
        "seq": row.seq,
        "changedSeq": row.changed_seq,
        "clientMessageId": str(row.client_message_id),
        "content": row.content,
        "messageType": row.message_type,
        "senderType": row.sender_type,
        "senderId": str(row.sender_id),
        "sender": {
            "id": str(row.sender_id),
            "username": row.username,
            "displayName": row.display_name,
            "avatarUrl": row.avatar_url,
        },
        "createdAt": clock.wire(row.created_at),
        "isEdited": row.edited_at is not None,
        "editedAt": clock.wire(row.edited_at) if row.edited_at else None,
        "deletedAt": clock.wire(row.deleted_at) if row.deleted_at else None,
        "replyToId": str(row.reply_to_id) if row.reply_to_id else None,
        "threadRootId": str(row.thread_root_id) if row.thread_root_id else None,
        "replyCount": row.reply_count,
        "rootReplyCount": row.root_reply_count,
        "attachments": row.attachments or [],
        "reactions": row.reactions or [],
        "mentions": row.mentions or [],
        "metadata": row.metadata,
        "persisted": True,
    }


def by_ids(tx: Transaction, ids: Iterable[object]) -> list[MessageEvent]:
    """Read messages by id, those that this actor may see, by conversation and position of change."""
    return [event(row) for row in tx.execute(BY_IDS, {"ids": [str(one) for one in ids]})]


def speaking_for_their_positions(tx: Transaction, events: Sequence[MessageEvent]) -> list[MessageEvent]:
    """Put a reply in the place of a root that stands at its position: a client that hears the root alone takes that
    position, and the reply, when it comes, for a repeat.
    """
    told = {"roots": [e["id"] for e in events], "positions": [e["changedSeq"] for e in events]}
    replies = {found["threadRootId"]: found for found in map(event, tx.execute(REPLIES_AT, told))}
    return [replies.get(e["id"], e) for e in events]


def one(tx: Transaction, message_id: UUID) -> MessageEvent | None:
    """Read one message, or None where this actor sees none."""
    found = by_ids(tx, [message_id])
    return found[0] if found else None


def thread(tx: Transaction, root_id: UUID, limit: int) -> list[MessageEvent]:
    """Read a thread: its root and its replies, oldest first."""
    return [event(row) for row in tx.execute(THREAD, {"root": root_id, "limit": limit})]


def page(
    tx: Transaction,
    conversation_id: UUID,
    *,
    floor: int,
    limit: int,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> Page:
    """Read a page of history by ``seq``, ascending. ``floor`` hides what came before this member could read."""
    values = {"conversation_id": conversation_id, "floor": floor, "limit": limit + 1}
    if around is not None:
        return _around(tx, values, around, limit)
    if after is not None:
        head, events = _read(tx, AFTER, {**values, "pivot": after})
        return _page(events[:limit], head, before=_reaches_below(tx, values, after), after=len(events) > limit)
    if before is not None:
        head, events = _read(tx, BEFORE, {**values, "pivot": before})
        after_it = before <= head and _reaches_above(tx, values, before, head)
        return _page(events[:limit][::-1], head, before=len(events) > limit, after=after_it)
    head, events = _read(tx, NEWEST, values)
    return _page(events[:limit][::-1], head, before=len(events) > limit, after=False)


def _around(tx: Transaction, values: dict[str, Any], pivot: int, limit: int) -> Page:
    below = limit // 2 + 1
    head, events = _read(tx, AROUND, {**values, "pivot": pivot, "below": limit + 1, "above": limit + 1})
    under = [found for found in events if (found["seq"] or 0) <= pivot]
    over = [found for found in events if (found["seq"] or 0) > pivot]
    kept_under = under[: max(below, limit - len(over))]
    kept_over = over[: limit - len(kept_under)]
    return _page(
        kept_under[::-1] + kept_over, head, before=len(under) > len(kept_under), after=len(over) > len(kept_over)
    )


def _page(items: list[MessageEvent], head: int, *, before: bool, after: bool) -> Page:
    return {"items": items, "hasBefore": before, "hasAfter": after, "upToSeq": head}


def _reaches_below(tx: Transaction, values: dict[str, Any], pivot: int) -> bool:
    _, events = _read(tx, BEFORE, {**values, "pivot": pivot + 1, "limit": 1})
    return bool(events)


def _reaches_above(tx: Transaction, values: dict[str, Any], pivot: int, head: int) -> bool:
    """Tell whether a message was created at or after a position; the positions up to the head may all be changes."""
    _, events = _read(tx, AFTER, {**values, "pivot": pivot - 1, "limit": 1})
    return any((found["seq"] or 0) <= head for found in events)


def _read(tx: Transaction, statement: Any, values: dict[str, Any]) -> tuple[int, list[MessageEvent]]:
    rows = tx.execute(statement, values).all()
    return (rows[0].head_seq if rows else 0), [event(row) for row in rows if row.id is not None]


def places(tx: Transaction, conversation_id: UUID, received: int) -> tuple[int, Place | None, Place | None]:
    """Read (head, the newest message at or below ``received``, the newest message), each message as (id, seq)."""
    row: Any = tx.execute(PLACES, {"conversation_id": conversation_id, "received": received}).one()
    return row.head_seq, place(row.received), place(row.latest)


Stand = tuple[int, Place | None]


def stands(tx: Transaction, conversation_ids: Iterable[str]) -> dict[str, Stand]:
    """Read for each conversation its head and its newest message, as (id, seq): one query, one moment."""
    rows = tx.execute(STANDS, {"ids": list(conversation_ids)})
    return {str(row.id): (row.head_seq, place(row.latest)) for row in rows}


def place(pair: str | None) -> Place | None:
    """Read a message's (id, seq) as PostgreSQL writes it."""
    if pair is None:
        return None
    message_id, _, seq = pair.strip("()").partition(",")
    return message_id, int(seq)


EDITS = text(
    "SELECT e.position, e.content, e.changed_at, e.editor_id FROM message_edits e WHERE e.message_id = :id ORDER BY e.position"
)


def edits(tx: Transaction, message_id: UUID) -> list[dict[str, Any]]:
    """Read a message's earlier wordings; ``replacedAt`` and ``position`` are those of the change that ended each."""
    return [
        {
            "content": r.content,
            "replacedAt": clock.wire(r.changed_at),
            "position": r.position,
            "editorId": str(r.editor_id),
        }
        for r in tx.execute(EDITS, {"id": message_id})
    ]
