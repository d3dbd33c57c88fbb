"""Hearing through the database what Redis could not carry: a notice names a conversation and its head, then this reads.

Each process remembers how far the events that it delivered reach in each conversation its sockets are in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain import unsettled
from app.kernel.actor import SYSTEM
from app.kernel.breaker import Down
from app.live import hot
from app.models import transaction
from app.outbound import emits
from app.queries import missed

HEADS = text("SELECT id, head_seq, version FROM conversations WHERE id = ANY(CAST(:ids AS uuid[]))")
MOVED = text(
    "SELECT id, head_seq FROM conversations WHERE id = ANY(CAST(:ids AS uuid[]))"
    " AND updated_at > clock_timestamp() - interval '10 seconds'"
)
AT_MOST = 200
REMEMBERED = 50_000
_delivered: dict[str, int] = {}


def delivered(event: Mapping[str, Any]) -> None:
    """Note that a final event was delivered to this process's sockets: nobody here waits for it any more."""
    unsettled.settled(event["id"])
    position = event["changedSeq"] or 0
    if position > _delivered.get(event["conversationId"], 0):
        if len(_delivered) >= REMEMBERED:
            _delivered.clear()
        _delivered[event["conversationId"]] = position


def moved(conversation_id: str, head_seq: int) -> None:
    """Deliver to this process's sockets what was committed up to a head and never came through Redis."""
    if not emits.is_heard(conversation_id):
        return
    known = _delivered.get(conversation_id)
    if known is not None and known >= head_seq:
        return
    if known is None or head_seq - known > AT_MOST:
        tell_heads([UUID(conversation_id)])
        return
    with transaction(SYSTEM) as tx:
        events, _, _ = missed.changes(tx, missed.Window(UUID(conversation_id), known, 0, AT_MOST))
    for event in events:
        emits.here(event)
        delivered(event)


def fetch(conversation_ids: Iterable[UUID]) -> None:
    """Deliver to this process's sockets what moved lately in these conversations: one query, and one for each that did.

    For a process that the emits of the others do not reach, while those reach each other and have nobody to tell.
    """
    with transaction(SYSTEM) as tx:
        rows = tx.execute(MOVED, {"ids": [str(i) for i in conversation_ids]}).all()
    for row in rows:
        moved(str(row.id), row.head_seq)


def tell_heads(conversation_ids: Iterable[UUID]) -> None:
    """Tell this process's sockets where conversations stand, so that they fetch what they lack: one query for all."""
    with transaction(SYSTEM) as tx:
        rows = tx.execute(HEADS, {"ids": [str(i) for i in conversation_ids]}).all()
    _repair({row.id: row.head_seq for row in rows})
    for row in rows:
        emits.heads(row.id, row.head_seq, row.version, here_only=True)


def _repair(heads: dict[UUID, int]) -> None:
    """Have the cache forget what it holds of a conversation that has moved on: whoever asks for what they lack because of a
    head must not be told by the cache that they lack nothing.
    """
    try:
        hot.repair(heads, before={})
    except Down:
        pass  # then the cache is asked by nobody


def forget() -> None:
    """Forget what was delivered (tests, and a process that starts)."""
    _delivered.clear()
