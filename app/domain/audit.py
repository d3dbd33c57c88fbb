"""The audit log: who did what that an operator may ask about."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.kernel import ids
from app.models import AuditEntry, Transaction


def note(
    tx: Transaction,
    action: str,
    *,
    now: datetime,
    actor_id: UUID | None = None,
    subject_id: UUID | None = None,
    **details: Any,
) -> None:
    """Write down one action, in the transaction that carries it out."""
    with tx.elevated():
        tx.add(
            AuditEntry(
                id=ids.new_id(), at=now, actor_id=actor_id, action=action, subject_id=subject_id, details=details
            )
        )
