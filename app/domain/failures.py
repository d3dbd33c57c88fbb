"""Messages that did not reach someone: kept with the reason, and told to the sender."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text

from app.kernel.actor import SYSTEM
from app.kernel.events import DeliveryStatusEvent, MessageEvent, RecipientType
from app.models import transaction
from app.outbound import emits, metrics

Path = Literal["mail", "push", "account"]
REASON_MAX = 200
NOT_STORED = "The message could not be stored."
GONE = "They have no account here any more."
GONE_LOOKED_BACK = timedelta(minutes=15)
UNREACHED = text(
    "SELECT p.id, array_agg(m.id ORDER BY m.seq) AS message_ids FROM conversations c"
    " JOIN profiles p ON p.id IN (c.direct_low, c.direct_high) AND p.disabled_at IS NOT NULL"
    " JOIN messages m ON m.conversation_id = c.id AND m.seq > c.head_seq - 500 AND m.sender_id <> p.id"
    "  AND m.created_at > p.disabled_at AND m.deleted_at IS NULL"
    " WHERE c.kind = 'direct' AND c.updated_at > :since AND NOT EXISTS (SELECT 1 FROM delivery_failures f"
    "   WHERE f.message_id = m.id AND f.recipient_id = p.id AND f.path = 'account') GROUP BY p.id LIMIT 200"
)
KEEP = text(
    "WITH kept AS (INSERT INTO delivery_failures (id, message_id, conversation_id, sender_id, recipient_id, path, reason,"
    "   failed_at) SELECT md5(m.id::text || CAST(:recipient AS text) || :path)::uuid, m.id, m.conversation_id,"
    "   m.sender_id, p.id, :path, :reason, :now FROM messages m JOIN profiles p ON p.id = CAST(:recipient AS uuid)"
    "   WHERE m.id = ANY(CAST(:ids AS uuid[])) AND m.sender_id <> p.id ON CONFLICT (id) DO NOTHING RETURNING *)"
    " SELECT kept.*, m.seq, p.kind, c.kind = 'support' AS is_support FROM kept JOIN messages m ON m.id = kept.message_id"
    " JOIN profiles p ON p.id = kept.recipient_id JOIN conversations c ON c.id = kept.conversation_id ORDER BY m.seq"
)


def failed(*, recipient_id: UUID, message_ids: Sequence[UUID], path: Path, reason: str, now: datetime) -> int:
    """Keep that messages did not reach someone by a path, and tell each sender once; gives how many were news.

    ``reason`` is a sentence that the sender may read (at most 200 characters are kept). Run again it changes nothing.
    """
    values = {"recipient": str(recipient_id), "ids": [str(i) for i in message_ids], "path": path, "now": now}
    with transaction(SYSTEM) as tx:
        rows = tx.execute(KEEP, {**values, "reason": reason.strip()[:REASON_MAX] or "It failed."}).all()
        tx.after_commit(lambda: _tell(rows))
        tx.after_commit(lambda: metrics.failed(path, len(rows)))
    return len(rows)


def fail_gone(*, now: datetime) -> int:
    """Tell those who wrote to somebody whose account has ended that nobody reads it; gives how many messages that concerns
    (a job: safe to run twice).
    """
    with transaction(SYSTEM) as tx:
        unreached = tx.execute(UNREACHED, {"since": now - GONE_LOOKED_BACK}).all()
    return sum(
        failed(recipient_id=row.id, message_ids=row.message_ids, path="account", reason=GONE, now=now)
        for row in unreached
    )


def _tell(rows: Sequence[Any]) -> None:
    for row in rows:
        kind = recipient_type(row.kind, is_support=row.is_support)
        event = _event(str(row.message_id), str(row.conversation_id), kind, row.reason)
        event["recipientId"], event["upToSeq"] = str(row.recipient_id), row.seq
        emits.delivery(event, [f"user:{row.sender_id}"])


def recipient_type(profile_kind: str, *, is_support: bool) -> RecipientType:
    """Tell what a recipient is in a conversation: staff only where customers are served."""
    if profile_kind == "customer":
        return "customer"
    return "staff" if is_support else "user"


def buried(events: Sequence[MessageEvent]) -> None:
    """Take back messages that were accepted and cannot be stored, and tell their senders so."""
    metrics.failed("store", len(events))
    for event in events:
        emits.withdrawn(event["id"], event["conversationId"], "could not be stored")
        kinds: dict[str, RecipientType] = {"customer": "staff", "staff": "customer"}
        kind = kinds.get(event["senderType"], "user")
        told = _event(event["id"], event["conversationId"], kind, NOT_STORED)
        emits.delivery(told, [f"user:{event['senderId']}"])


def _event(message_id: str, conversation_id: str, kind: RecipientType, reason: str) -> DeliveryStatusEvent:
    return {
        "messageId": message_id,
        "conversationId": conversation_id,
        "recipientType": kind,
        "recipientId": None,
        "status": "failed",
        "deliveredAt": None,
        "readAt": None,
        "failedReason": reason,
        "upToSeq": None,
    }
