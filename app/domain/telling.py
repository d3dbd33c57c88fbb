"""Telling of committed batches while the next ones are being committed: one at a time, in the order of their commits.

What is committed while a batch is being told is told together. And where batches are large, many people are at it: then telling
waits a few milliseconds, so that what follows in the same room is written to each of its sockets with it. These writes are what
costs most.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain import announce
from app.domain.batches import Outcome
from app.kernel.events import MessageEvent

log = logging.getLogger(__name__)
BUSY_FROM = 16  # messages in a batch: so many came while one was being committed
GATHER_S = 0.025
AHEAD_MAX = 8  # batches that wait; who has one more waits too
_waiting: deque[Outcome] = deque()
_changed = threading.Condition()
_is_begun = threading.Lock()  # taken once and for ever, by the one who starts the teller


@dataclass(slots=True)
class Progress:
    """Counts of batches since the start of the process."""

    given: int = 0
    told: int = 0
    awaited: int = 0  # somebody waits until so many are told


_progress = Progress()


def tell(outcome: Outcome) -> None:
    """Have everybody told of a batch, once those before it are told; called in the order of the commits."""
    if _is_begun.acquire(blocking=False):
        threading.Thread(target=_tell_for_ever, daemon=True, name="teller").start()
    with _changed:
        _changed.wait_for(lambda: len(_waiting) < AHEAD_MAX)
        _waiting.append(outcome)
        _progress.given += 1
        _changed.notify_all()


def changed(event: MessageEvent, roots: Sequence[MessageEvent]) -> None:
    """Tell of a changed message, once everybody is told of what was committed before it."""
    finish()
    announce.changed(event, roots)


def finish(*, at_most_s: float | None = None) -> None:
    """Wait until everybody is told of what was committed until now."""
    with _changed:
        awaited = _progress.awaited = _progress.given
        _changed.notify_all()
        _changed.wait_for(lambda: _progress.told >= awaited, at_most_s)


def _tell_for_ever() -> None:
    while True:
        taken = _take()
        try:
            together = Outcome()
            for outcome in taken:
                together.take_in(outcome)
            announce.created(together)
        except Exception:
            log.exception("committed messages could not be told of; the healer does it")
        finally:
            with _changed:
                _progress.told += len(taken)
                _changed.notify_all()


def _take() -> list[Outcome]:
    with _changed:
        _changed.wait_for(lambda: _waiting)
        if len(_waiting[0].created) >= BUSY_FROM:
            _changed.wait_for(_is_enough, GATHER_S)
        taken = list(_waiting)
        _waiting.clear()
        _changed.notify_all()
    return taken


def _is_enough() -> bool:
    return len(_waiting) >= AHEAD_MAX or _progress.awaited > _progress.told
