"""What is kept for how long: the words of deleted messages, ended tokens, old failures."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from sqlalchemy import text

from app.domain import steps
from app.kernel.actor import SYSTEM
from app.kernel.settings import settings
from app.models import transaction

TOKENS_KEPT = timedelta(days=30)
FAILURES_KEPT = timedelta(days=180)
# A second worker passes over what the first one holds.
TOMBSTONES = text(
    "SELECT id FROM messages WHERE deleted_at < :before AND deleted_at IS NOT NULL AND purged_at IS NULL"
    " ORDER BY deleted_at LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED"
)
# The rows stay: who changed it when, at which position. What it said goes.
FORGET_WORDS = text(
    "UPDATE message_edits SET content = '' WHERE message_id = ANY(CAST(:ids AS uuid[])) AND content <> ''"
)
PURGED = text("UPDATE messages SET purged_at = :now, metadata = '{}' WHERE id = ANY(CAST(:ids AS uuid[]))")
END_TOKENS = text(
    "DELETE FROM portal_tokens WHERE id IN (SELECT id FROM portal_tokens WHERE expires_at < :before OR revoked_at < :before"
    " LIMIT :limit)"
)
END_API_TOKENS = text(
    "DELETE FROM api_tokens WHERE id IN (SELECT id FROM api_tokens WHERE expires_at < :before OR revoked_at < :before"
    " LIMIT :limit)"
)
END_FAILURES = text(
    "DELETE FROM delivery_failures WHERE id IN (SELECT id FROM delivery_failures WHERE failed_at < :before LIMIT :limit)"
)


def purge(*, now: datetime, at_most_s: float = 20) -> int:
    """Forget for good what messages said that were deleted ``CHAT_RETENTION_DAYS`` ago; gives how many messages.

    Their files have gone by then (``uploads.clean_up``), reactions and mentions at once. The tombstone itself stays.
    """
    before, deadline, purged = now - timedelta(days=settings().retention_days), time.monotonic() + at_most_s, 0
    while time.monotonic() < deadline:
        step = _purge_some(before, now)
        purged += step
        if step < steps.STEP:
            break
    return purged


def _purge_some(before: datetime, now: datetime) -> int:
    with transaction(SYSTEM) as tx:
        ids = [str(row.id) for row in tx.execute(TOMBSTONES, {"before": before, "limit": steps.STEP})]
        if ids:
            tx.change(FORGET_WORDS, {"ids": ids})
            tx.change(PURGED, {"ids": ids, "now": now})
    return len(ids)


def clean_up(*, now: datetime) -> int:
    """Delete customers' and bots' tokens that ended a month ago, and failures half a year old; gives how many."""
    tokens = sum(steps.repeat(ended, before=now - TOKENS_KEPT) for ended in (END_TOKENS, END_API_TOKENS))
    return tokens + steps.repeat(END_FAILURES, before=now - FAILURES_KEPT)
