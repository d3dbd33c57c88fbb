"""Telling of direct writes, in the order of their commits, while the next ones are being committed.

The database works on one batch as this process writes the one before to its sockets. Not more than a few batches ahead: where
telling is slow (Redis does not answer), committing waits for it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence

from app.domain import announce
from app.domain.batches import Outcome

AHEAD_MAX = 2
_waiting: queue.Queue[tuple[Outcome, Sequence[bytes]]] = queue.Queue(maxsize=AHEAD_MAX)
_is_begun = threading.Lock()  # taken once and for ever, by the one who starts the teller


def later(outcome: Outcome, encoded: Sequence[bytes]) -> None:
    """Have a commit told of after those before it."""
    if _is_begun.acquire(blocking=False):
        threading.Thread(target=_tell_for_ever, daemon=True, name="teller").start()
    _waiting.put((outcome, encoded))


def all_told() -> None:
    """Wait until everything before has been told."""
    _waiting.join()


def is_busy() -> bool:
    """Tell whether something is still to be told."""
    return _waiting.unfinished_tasks > 0


def _tell_for_ever() -> None:
    while True:
        outcome, encoded = _waiting.get()
        try:
            announce.created(outcome, encoded)
        finally:
            _waiting.task_done()
