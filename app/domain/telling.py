"""Telling of committed batches while the next one is being committed: one at a time, in the order of their commits.

At most one is being told; who has the next one waits, so that telling never falls further behind than that.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from app.domain import announce
from app.domain.batches import Outcome
from app.kernel.events import MessageEvent

_waiting: deque[Outcome] = deque()
_room = threading.Semaphore(1)
_bell = threading.Semaphore(0)
_is_begun = threading.Lock()  # taken once and for ever, by the one who starts the teller


def tell(outcome: Outcome) -> None:
    """Have everybody told of a batch, once those before it are told; called in the order of the commits."""
    _room.acquire()
    if _is_begun.acquire(blocking=False):
        threading.Thread(target=_tell_for_ever, daemon=True, name="teller").start()
    _waiting.append(outcome)
    _bell.release()


def changed(event: MessageEvent, roots: Sequence[MessageEvent]) -> None:
    """Tell of a changed message, once everybody is told of what was committed before it."""
    finish()
    announce.changed(event, roots)


def finish() -> None:
    """Wait until everybody is told of what was committed until now."""
    _room.acquire()
    _room.release()


def _tell_for_ever() -> None:
    while True:
        _bell.acquire()
        try:
            announce.created(_waiting.popleft())
        finally:
            _room.release()
