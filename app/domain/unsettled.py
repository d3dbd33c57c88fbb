"""What this process has accepted and not yet seen committed, in order.

Two things hang on it. The stall guard shows a provisional copy of what the database is slow to take. And a direct write
overtakes nothing: it first writes what is here (design section 2.6).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from app.kernel.events import MessageEvent


@dataclass(slots=True)
class Waiting:
    """An accepted message and since when it waits (monotonic seconds)."""

    event: MessageEvent
    since: float
    shown: bool = False


_waiting: dict[str, Waiting] = {}
_lock = threading.Lock()


def add(event: MessageEvent) -> None:
    """Note an accepted message."""
    with _lock:
        _waiting.setdefault(event["id"], Waiting(event, time.monotonic()))


def settled(message_id: str) -> None:
    """Note that a message is committed, or given up for a reason."""
    if message_id in _waiting:
        with _lock:
            _waiting.pop(message_id, None)


def all_waiting() -> list[MessageEvent]:
    """Give what waits, in the order in which it was accepted."""
    with _lock:
        return [waiting.event for waiting in _waiting.values()]


def overdue(after_s: float) -> list[Waiting]:
    """Give what has waited longer than this, oldest first."""
    limit = time.monotonic() - after_s
    with _lock:
        found = []
        for waiting in _waiting.values():
            if waiting.since > limit:
                break
            found.append(waiting)
    return found


def clear() -> None:
    """Forget everything (a process that starts)."""
    with _lock:
        _waiting.clear()
