"""Deleting much in small transactions: none holds many locks, and a stopped run has kept what it did."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import TextClause

from app.kernel.actor import SYSTEM
from app.models import transaction

STEP = 2000


def repeat(statement: TextClause, *, at_most_s: float = 20, **values: Any) -> int:
    """Run a statement that takes ``:limit`` rows until it finds none, or for so long; gives how many it touched."""
    deadline, touched, step = time.monotonic() + at_most_s, 0, STEP
    while step == STEP and time.monotonic() < deadline:
        with transaction(SYSTEM) as tx:
            step = tx.change(statement, {**values, "limit": STEP})
        touched += step
    return touched
