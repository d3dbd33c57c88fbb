"""Keeping the filter of known message ids whole (``live/seen.py``), so that a retry is known for ever."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.domain import modes
from app.kernel.actor import SYSTEM
from app.live import membership, seen
from app.models import transaction

log = logging.getLogger(__name__)
IDS = text("SELECT id FROM messages WHERE id > CAST(:after AS uuid) ORDER BY id LIMIT 5000")
_START = UUID(int=0)
COMMITTED_MAX = 10_000


@dataclass(slots=True)
class Filling:
    """How far this process has filled the filter, in the filling of that word."""

    word: str = ""
    to: UUID = _START


_filling = Filling()
_committed: list[str] = []  # messages committed past the log, which the filter does not know yet


def committed_past_the_log(ids: Iterable[str]) -> None:
    """Note messages that were committed and that no accept has put into the filter."""
    if len(_committed) <= COMMITTED_MAX:
        _committed.extend(ids)


def tell_filter() -> None:
    """Put into the filter what this process committed past the log, or have it distrusted; raises Down."""
    if not _committed:
        return
    told = list(_committed)
    if len(told) <= COMMITTED_MAX and (modes.is_behind() or not seen.filling()):
        seen.add(told)
    else:
        seen.distrust()
    del _committed[: len(told)]


def fill(*, at_most_s: float = 1.0) -> bool:
    """Fill a filter that is new, lost or distrusted from the database, some of it now; tells whether there is more to do.

    Raises Down or Unavailable.
    """
    if not modes.is_behind():
        return False
    deadline = time.monotonic() + at_most_s
    while word := seen.filling():
        if word != _filling.word:
            membership.forget_all()  # a log that was lost may have come back with some that have ended since
            _filling.word, _filling.to = word, _START
        if time.monotonic() > deadline:
            return True
        with transaction(SYSTEM) as tx:
            ids = [row.id for row in tx.execute(IDS, {"after": _filling.to})]
        if not ids:
            if not seen.filling(done=word):
                log.info("the filter of known messages is complete")
            return False
        seen.add(map(str, ids))
        _filling.to = ids[-1]
    return False
