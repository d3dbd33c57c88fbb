"""What this process has accepted and not yet seen committed, in order.

Two things hang on it. The stall guard shows a provisional copy of what the database is slow to take. And a direct write
overtakes nothing: it first writes what is here (design section 2.6).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from uuid import UUID

from app.kernel.events import MessageEvent


@dataclass(slots=True)
class Waiting:
    """An accepted message, since when it is here, and since when it is accepted (monotonic seconds)."""

    event: MessageEvent
    since: float
    after: UUID | None = None  # its sender's send before it, as the client named it
    shown: bool = False
    accepted_at: float | None = None
    asking: int = 0  # how many ask the log to accept it just now


BEHIND_S = 0.12  # half of the stall guard's patience
PAUSE_MAX_S = 0.1
_waiting: dict[str, Waiting] = {}
_settled_at = [0.0]
_lock = threading.Lock()


def begin(event: MessageEvent, after: UUID | None = None) -> None:
    """Note a message that is about to be accepted, by whom asks first; ``end`` must follow.

    Before the accept, for its final may be heard before the accept's answer is.
    """
    with _lock:
        waiting = _waiting.setdefault(event["id"], Waiting(event, time.monotonic(), after))
        waiting.asking += 1


def accepted(event: MessageEvent) -> None:
    """Note what the log holds of a message begun here, put there just now or before; where its final was heard already there
    is nothing to wait for.
    """
    waiting = _waiting.get(event["id"])
    if waiting is not None and waiting.accepted_at is None:
        waiting.event, waiting.accepted_at = event, time.monotonic()


def end(message_id: str) -> None:
    """Note that one who asked has an answer, or will get none; what nobody has got accepted is not looked after."""
    with _lock:
        waiting = _waiting.get(message_id)
        if waiting is not None:
            waiting.asking -= 1
            if not waiting.asking and waiting.accepted_at is None:
                del _waiting[message_id]


def waits(message_id: str) -> bool:
    """Tell whether a message still waits for its final."""
    return message_id in _waiting


def settled(message_id: str) -> None:
    """Note that a message is committed, or was refused by the database."""
    if message_id not in _waiting:  # as most of what a process hears of
        return
    with _lock:
        _waiting.pop(message_id, None)
    _settled_at[0] = time.monotonic()


def pause_s() -> float:
    """Give how long a sender had better wait for the answer, because the drain falls behind what is accepted here.

    Else everybody would soon be shown a provisional copy of every message, which costs the very time that is short. Not where
    nothing is committed at all just now: then it is no matter of pace.
    """
    now = time.monotonic()
    oldest = next(iter(_waiting.values()), None)
    if oldest is None or now - _settled_at[0] > BEHIND_S:
        return 0.0
    return min(max(now - oldest.since - BEHIND_S, 0.0), PAUSE_MAX_S)


def all_waiting() -> list[Waiting]:
    """Give what waits, in the order in which it was accepted."""
    with _lock:
        return [waiting for waiting in _waiting.values() if waiting.accepted_at is not None]


def overdue(after_s: float) -> list[Waiting]:
    """Give what was accepted longer ago than this, oldest first. The way into the log does not count: it may be a long one."""
    limit = time.monotonic() - after_s
    with _lock:
        found = []
        for waiting in _waiting.values():
            if waiting.since > limit:
                break
            if waiting.accepted_at is not None and waiting.accepted_at <= limit:
                found.append(waiting)
    return found


def clear() -> None:
    """Forget everything (a process that starts)."""
    with _lock:
        _waiting.clear()
