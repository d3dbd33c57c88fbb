"""Letters: e-mails that are owed, from the transaction that owes them until they are sent or given up.

A letter is claimed, in a transaction of its own, just before it is handed to the mail server, so two workers never hand over
the same one. What became of one whose worker died in between nobody can know: see docs/decisions.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain import steps
from app.kernel import ids
from app.kernel.actor import SYSTEM
from app.models import Letter, Transaction, transaction

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=10)  # longer than handing a letter over can take, all its time-outs together
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
KEPT = timedelta(days=30)
COLUMNS = "id, profile_id, kind, subject, attempts, created_at"
DUE = text(
    f"SELECT {COLUMNS} FROM letters WHERE ended_at IS NULL AND state = 'waiting' AND due_at <= :now"
    " ORDER BY due_at, id LIMIT :limit"
)
CLAIM = text(
    "UPDATE letters SET state = 'sending', attempts = attempts + 1, due_at = :until WHERE id = :id AND due_at <= :now"
    " AND state = 'waiting' AND ended_at IS NULL"
)
RETRY = text(
    "UPDATE letters SET state = 'waiting', due_at = :due_at, reason = :reason WHERE id = :id AND ended_at IS NULL"
)
END = text("UPDATE letters SET state = :state, ended_at = :now, reason = :reason WHERE id = :id AND ended_at IS NULL")
ABANDONED = text(
    f"SELECT {COLUMNS} FROM letters WHERE ended_at IS NULL AND state = 'sending' AND due_at <= :now LIMIT 500"
)
CLEAN_UP = text(
    "DELETE FROM letters WHERE id IN (SELECT id FROM letters WHERE ended_at < :before ORDER BY ended_at LIMIT :limit)"
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter that is owed."""

    id: UUID
    profile_id: UUID
    kind: str
    subject: dict[str, Any]
    attempts: int
    created_at: datetime

    @property
    def key(self) -> str:
        """Name this letter in its Message-ID: the same on every try."""
        return f"{self.kind}.{self.id}"


def write(tx: Transaction, *, kind: str, profile_id: UUID, subject: Mapping[str, Any], now: datetime) -> UUID:
    """Owe someone a letter, from the commit on."""
    letter_id = ids.new_id()
    tx.add(
        Letter(
            id=letter_id, profile_id=profile_id, kind=kind, subject=dict(subject), state="waiting", attempts=0,
            created_at=now, due_at=now,
        )
    )  # fmt: skip
    return letter_id


def due(*, now: datetime, limit: int) -> list[Waiting]:
    """List the letters that are to be tried now, the longest due first."""
    with transaction(SYSTEM) as tx:
        return [Waiting(**row._asdict()) for row in tx.execute(DUE, {"now": now, "limit": limit})]


def claim(letter: Waiting, *, now: datetime) -> bool:
    """Take a letter on oneself; tells whether nobody else has it."""
    with transaction(SYSTEM) as tx:
        return bool(tx.change(CLAIM, {"id": letter.id, "now": now, "until": now + LEASE}))


def retry(letter: Waiting, *, reason: str, now: datetime) -> None:
    """Put a letter back, to be tried again after a pause that doubles each time."""
    pause = min(FIRST_PAUSE * 2 ** min(letter.attempts, 20), LONGEST_PAUSE)
    with transaction(SYSTEM) as tx:
        tx.change(RETRY, {"id": letter.id, "due_at": now + pause, "reason": reason})


def end(tx: Transaction, letter: Waiting, *, state: str, now: datetime, reason: str | None = None) -> bool:
    """Note what became of a letter: ``sent``, ``failed``, ``dropped`` or ``unsure``; tells whether that is new."""
    return bool(tx.change(END, {"id": letter.id, "state": state, "now": now, "reason": reason}))


def abandoned(*, now: datetime) -> list[Waiting]:
    """List the letters whose worker died while it handed them over."""
    with transaction(SYSTEM) as tx:
        return [Waiting(**row._asdict()) for row in tx.execute(ABANDONED, {"now": now})]


def clean_up(*, now: datetime) -> int:
    """Delete the letters that ended a month ago or earlier; gives how many."""
    return steps.repeat(CLEAN_UP, before=now - KEPT)
