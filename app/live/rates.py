"""How fast an actor may send where the log does not count: on the cache's Redis, in this process while that is away.

The generic cell rate algorithm (ITU-T I.371): ``due`` is when the next send would come at an even pace, and a burst may run
that far ahead of it. ``lua/accept.lua`` has the same arithmetic for what goes through the log.
"""

from __future__ import annotations

import threading
import time
from uuid import UUID

from app.extensions import CACHE, redis
from app.kernel import limits
from app.kernel.breaker import Down
from app.kernel.settings import settings
from app.live import scripts

REMEMBERED_MAX = 10_000
_due: dict[UUID, float] = {}
_lock = threading.Lock()


def take_send(actor_id: UUID) -> float:
    """Count a send; gives 0, or the seconds to wait where it is too soon (then nothing is counted)."""
    return _count(actor_id, 1) if settings().rate_limits_enabled else 0.0


def give_back_send(actor_id: UUID) -> None:
    """Uncount a send that was not a new message."""
    if settings().rate_limits_enabled:
        _count(actor_id, -1)


def _count(actor_id: UUID, sends: int) -> float:
    try:
        with CACHE.guard():
            arguments = [limits.SENDS_PER_S, limits.SENDS_BURST, sends]
            return int(scripts.run(redis.cache, "rate", [f"rate:send:{actor_id}"], arguments)) / 1000
    except Down:
        return _count_here(actor_id, sends, time.monotonic())


def _count_here(actor_id: UUID, sends: int, now: float) -> float:
    step = 1 / limits.SENDS_PER_S
    with _lock:
        if len(_due) > REMEMBERED_MAX:
            _forget_the_slow(now)
        due = max(now, _due.get(actor_id, now)) + step * sends
        wait = due - now - step * limits.SENDS_BURST
        if sends > 0 and wait > 1e-9:
            return wait
        _due[actor_id] = due
    return 0.0


def _forget_the_slow(now: float) -> None:
    for actor_id in [one for one, due in _due.items() if due <= now]:
        del _due[actor_id]
