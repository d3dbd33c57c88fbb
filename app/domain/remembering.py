"""Keeping the filter of known message ids whole (``live/seen.py``), so that a retry is known for ever."""

from __future__ import annotations

import logging
import time
from uuid import UUID

from sqlalchemy import text

from app.domain import modes
from app.kernel.actor import SYSTEM
from app.kernel.breaker import Down
from app.live import seen
from app.models import transaction

log = logging.getLogger(__name__)
IDS = text("SELECT id FROM messages WHERE id > CAST(:after AS uuid) ORDER BY id LIMIT 5000")
_START = UUID(int=0)
_filled_to = [_START]
_missing = [False]  # messages were committed past the log, and the filter does not know them yet


def committed_past_the_log() -> None:
    """Note that a message was committed that no accept has put into the filter."""
    _missing[0] = True


def tell_filter() -> None:
    """Have the filter distrusted where this process committed past the log; raises Down."""
    if _missing[0]:
        _missing[0] = False
        try:
            seen.distrust()
        except Down:
            _missing[0] = True
            raise


def fill(*, at_most_s: float = 1.0) -> None:
    """Fill a filter that is new, lost or distrusted from the database, some of it now; raises Down or Unavailable."""
    if not modes.is_behind() or seen.is_complete():
        _filled_to[0] = _START
        return
    deadline = time.monotonic() + at_most_s
    while time.monotonic() < deadline:
        with transaction(SYSTEM) as tx:
            ids = [row.id for row in tx.execute(IDS, {"after": _filled_to[0]})]
        if not ids:
            seen.declare_complete()
            log.info("the filter of known messages is complete")
            return
        seen.add(ids)
        _filled_to[0] = ids[-1]
