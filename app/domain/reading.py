"""Reading: how far someone has read, what is unread, and the receipts derived from the marks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text

from app.domain import delivery, messages
from app.domain.access import member_of
from app.kernel import clock, limits
from app.kernel.actor import Actor
from app.kernel.errors import Invalid, NotFound
from app.kernel.events import ReadReceiptEvent
from app.models import Transaction, transaction
from app.outbound import emits
from app.queries import messages as views

READ = text(
    "UPDATE memberships SET read_seq = :seq, received_seq = GREATEST(received_seq, :seq)"
    " WHERE conversation_id = :c AND profile_id = :me AND read_seq < :seq"
)
MARK = text(
    "INSERT INTO read_marks (conversation_id, profile_id, up_to_seq, read_at) VALUES (:c, :me, :seq, :now)"
    " ON CONFLICT DO NOTHING"
)
UNREAD = text(
    "SELECT me.conversation_id AS id,"
    " (SELECT count(*) FROM (SELECT 1 FROM messages m WHERE m.conversation_id = me.conversation_id AND m.seq > me.read_seq"
    f"   AND m.sender_id <> me.profile_id AND m.deleted_at IS NULL LIMIT {limits.COUNT_CAP}) u) AS unread,"
    " (SELECT count(*) FROM (SELECT 1 FROM mentions n WHERE n.conversation_id = me.conversation_id"
    f"   AND n.profile_id = me.profile_id AND n.seq > me.read_seq LIMIT {limits.COUNT_CAP}) u) AS mentioned"
    " FROM memberships me JOIN conversations c ON c.id = me.conversation_id"
    " WHERE me.profile_id = :me AND me.left_at IS NULL AND c.deleted_at IS NULL"
    " AND (CAST(:c AS uuid) IS NULL OR c.id = :c)"
)
RECEIPTS = text(
    "SELECT p.id, p.kind, w.read_at, w.up_to_seq FROM memberships me JOIN profiles p ON p.id = me.profile_id,"
    " LATERAL (SELECT read_at, up_to_seq FROM read_marks r WHERE r.conversation_id = me.conversation_id"
    "   AND r.profile_id = me.profile_id AND r.up_to_seq >= :seq ORDER BY r.up_to_seq LIMIT 1) w"
    " WHERE me.conversation_id = :c AND me.history_from_seq < :seq AND p.id <> :sender ORDER BY w.read_at, p.id LIMIT 1000"
)


def mark_read(
    actor: Actor,
    *,
    now: datetime,
    message_ids: Sequence[UUID] = (),
    conversation_id: UUID | None = None,
    message_id: UUID | None = None,
) -> dict[str, Any]:
    """Advance one's read position up to the newest of these messages; gives ``{readSeq, unreadCount}``.

    Messages of several conversations may be named; the answer speaks of the last one's.
    """
    wanted = list(message_ids) or ([message_id] if message_id else [])
    messages.wait_until_committed(wanted[-1])
    answer: dict[str, Any] = {}
    with transaction(actor) as tx:
        if conversation_id is not None:
            member_of(tx, actor, conversation_id)
        found = views.by_ids(tx, wanted)
        if not found:
            raise NotFound("The message")
        if conversation_id is not None and found[0]["conversationId"] != str(conversation_id):
            raise Invalid({"messageId": ["names a message of another conversation"]})
        newest = {event["conversationId"]: event for event in sorted(found, key=lambda event: event["seq"] or 0)}
        for target, event in newest.items():
            answer = _advance(tx, actor, UUID(target), event["id"], event["seq"] or 0, now)
    return answer


def _advance(
    tx: Transaction, actor: Actor, conversation_id: UUID, message_id: str, seq: int, now: datetime
) -> dict[str, Any]:
    member = member_of(tx, actor, conversation_id)
    moved = tx.change(READ, {"c": conversation_id, "me": actor.id, "seq": seq})
    if moved:
        tx.change(MARK, {"c": conversation_id, "me": actor.id, "seq": seq, "now": now})
    count = _counts(tx, actor, conversation_id)[0]
    if moved:
        total = sum(each["unread"] for each in _counts(tx, actor, None))
        if seq > member.received_seq:
            tx.after_commit(lambda: delivery.note_received(actor.id, conversation_id, (message_id, seq)))
        tx.after_commit(lambda: _tell(actor, conversation_id, message_id, seq, count, total, now))
    return {"readSeq": max(seq, member.read_seq), "unreadCount": count["unread"]}


def _tell(
    actor: Actor, conversation_id: UUID, message_id: str, seq: int, count: dict[str, Any], total: int, now: datetime
) -> None:
    emits.receipt(receipt(actor.kind, actor.id, conversation_id, message_id, seq, now))
    body = {"conversationId": str(conversation_id), "unreadCount": count["unread"], "mentionCount": count["mentioned"]}
    emits.unread(
        actor.room, {**body, "total": total, "readSeq": seq}
    )  # else another device of mine counts from its own


def receipt(
    kind: str, reader_id: UUID, conversation_id: UUID, message_id: str, seq: int, at: datetime
) -> ReadReceiptEvent:
    """Make the receipt that a read mark gives for a message."""
    return {
        "id": str(uuid5(reader_id, message_id)),
        "messageId": message_id,
        "conversationId": str(conversation_id),
        "readByUserId": str(reader_id) if kind != "customer" else None,
        "readByCustomerId": str(reader_id) if kind == "customer" else None,
        "readAt": clock.wire(at),
        "upToSeq": seq,
    }


def receipts(actor: Actor, *, message_id: UUID) -> list[ReadReceiptEvent]:
    """List who has read a message, each with the first time."""
    messages.wait_until_committed(message_id)
    with transaction(actor) as tx:
        event = messages.visible(tx, message_id)
        target = UUID(event["conversationId"])
        rows = tx.execute(RECEIPTS, {"c": target, "seq": event["seq"], "sender": event["senderId"]})
        return [receipt(r.kind, r.id, target, event["id"], r.up_to_seq, r.read_at) for r in rows]


def unread(actor: Actor, *, conversation_id: UUID | None) -> dict[str, Any]:
    """Count what is unread, in one conversation or in all: ``{count, byConversation}``."""
    with transaction(actor) as tx:
        if conversation_id is not None:
            member_of(tx, actor, conversation_id)
        counts = _counts(tx, actor, conversation_id)
    return {
        "count": sum(c["unread"] for c in counts),
        "byConversation": {c["id"]: c["unread"] for c in counts if c["unread"]},
    }


def _counts(tx: Transaction, actor: Actor, conversation_id: UUID | None) -> list[dict[str, Any]]:
    rows = tx.execute(UNREAD, {"me": actor.id, "c": conversation_id})
    return [{"id": str(row.id), "unread": row.unread, "mentioned": row.mentioned} for row in rows]
