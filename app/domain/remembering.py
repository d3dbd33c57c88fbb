"""Keeping the filter of known message ids whole (``live/seen.py``), so that a retry is known for ever."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from sqlalchemy import text

from app.domain import modes
from app.kernel.actor import SYSTEM
from app.kernel.breaker import Down
from app.kernel.errors import DomainError
from app.live import membership, seen
from app.models import transaction

log = logging.getLogger(__name__)
IDS = text("DECLARE ids NO SCROLL CURSOR FOR SELECT encode(uuid_send(id), 'hex') FROM messages")
PAGE = 5000
NEXT = "FETCH {} FROM ids"
TELL_EVERY_S, LOOK_EVERY_S = 0.25, 1.0
COMMITTED_MAX = 10_000
_begun = [""]  # the word of the filling that this process began last
_committed: list[str] = []  # messages committed past the log, which the filter does not know yet


def committed_past_the_log(ids: Iterable[str]) -> None:
    """Note messages that were committed and that no accept has put into the filter."""
    if len(_committed) <= COMMITTED_MAX:
        _committed.extend(ids)


def tell_filter() -> None:
    """Put into the filter what this process committed past the log, or have it distrusted; one thread does; raises Down."""
    if not _committed:
        return
    told = list(_committed)
    if len(told) <= COMMITTED_MAX and (modes.is_behind() or not seen.filling()):
        seen.add(told)
    else:
        seen.distrust()
    del _committed[: len(told)]


def run(stopping: threading.Event, is_mine: Callable[[], bool] = lambda: True) -> None:
    """Tell the filter what this process commits, and keep it whole while that is this process's to do, until told to stop."""
    due = 0.0
    while not stopping.is_set():
        try:
            tell_filter()
            if time.monotonic() >= due:
                due = time.monotonic() + LOOK_EVERY_S
                if is_mine():
                    fill(stopping)
        except (Down, DomainError) as error:
            log.debug("filling the filter of known messages waits: %s", error)
        except Exception:
            log.exception("the filter of known messages could not be filled; it is tried again")
        stopping.wait(TELL_EVERY_S)


def fill(stopping: threading.Event | None = None) -> None:
    """Fill a filter that is new, lost or distrusted from the database; what is committed meanwhile others put in.

    Raises Down or Unavailable.
    """
    while modes.is_behind() and (word := seen.filling()):
        if word != _begun[0]:
            membership.forget_all()  # a log that was lost may have come back with some that have ended since
            _begun[0] = word
        if not _take_in_all(stopping):
            return
        if not seen.filling(done=word):
            log.info("the filter of known messages is complete")


def _take_in_all(stopping: threading.Event | None) -> bool:
    """Read all ids there are, as they lie on the disk and of one moment; tells whether it came to the end.

    By their order each would be a page elsewhere: from a cold disk that took 7 s for 5,000 of ten million, and this way 0.03 s.
    """
    built: seen.Built | None = None
    with transaction(SYSTEM) as tx:
        tx.execute(IDS)
        while ids := tx.execute(text(NEXT.format(PAGE))).scalars().all():
            if built is None and len(ids) < PAGE:
                seen.add(ids)
                return True
            built = built or seen.Built()
            built.put(bytes.fromhex("".join(ids)))
            tell_filter()
            if stopping is not None and stopping.is_set():
                return False
    if built is not None:
        built.merge()
    return True
