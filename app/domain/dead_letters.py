"""Entries of the log that cannot become messages, kept for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import orjson
from sqlalchemy import text

from app.kernel.actor import SYSTEM
from app.kernel.events import MessageEvent
from app.models import Transaction, transaction

KEEP = text(
    "INSERT INTO dead_letters (message_id, conversation_id, sender_id, entry, sqlstate, reason, created_at)"
    " VALUES (:message_id, :conversation_id, :sender_id, CAST(:entry AS jsonb), :sqlstate, :reason, clock_timestamp())"
    " ON CONFLICT (message_id) DO NOTHING"
)


def keep(tx: Transaction, event: MessageEvent, *, sqlstate: str, reason: str) -> None:
    """Keep an accepted message that the database refuses, and why."""
    values = {"message_id": event["id"], "conversation_id": event["conversationId"], "sender_id": event["senderId"]}
    tx.change(KEEP, {**values, "entry": _json(event), "sqlstate": sqlstate, "reason": reason})


def bury_broken(entries: Sequence[tuple[str, str]]) -> None:
    """Keep entries (place in the log, text) that are no messages; raises Unavailable where the database is away."""
    with transaction(SYSTEM) as tx:
        for place, raw in entries:
            values = {"message_id": uuid5(NAMESPACE_OID, place), "conversation_id": None, "sender_id": None}
            entry = _json({"place": place, "text": raw})
            tx.change(KEEP, {**values, "entry": entry, "sqlstate": "", "reason": "it is no message"})


def _json(value: Any) -> str:
    return orjson.dumps(_without_nul(value)).decode()


def _without_nul(value: Any) -> Any:
    """Take out what no text of PostgreSQL can hold: before it is written as JSON, where a backslash may precede it."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(part) for name, part in value.items()}
    return [_without_nul(part) for part in value] if isinstance(value, list) else value
