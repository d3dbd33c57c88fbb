"""How fast an actor may do things that the log does not count: on the cache's Redis, in this process while that is away.

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
from app.kernel.errors import RateLimited
from app.kernel.settings import settings
from app.live import scripts

REMEMBERED_MAX = 10_000
_due: dict[str, float] = {}
_lock = threading.Lock()


def take(name: str, *, per_s: float, burst: int) -> float:
    """Count one of what is named; gives 0, or the seconds to wait where it is too soon (then nothing is counted)."""
    return _count(f"rate:{name}", 1, per_s, burst) if is_on() else 0.0


def is_on() -> bool:
    """Tell whether anything is counted at all."""
    return settings().rate_limits_enabled


def check(name: str, *, per_s: float, burst: int) -> None:
    """Count one of what is named, or refuse it; raises RateLimited."""
    wait_s = take(name, per_s=per_s, burst=burst)
    if wait_s:
        raise RateLimited(wait_s)


def take_send(actor_id: UUID) -> float:
    """Count a send, as ``take`` does."""
    return take(f"send:{actor_id}", per_s=limits.SENDS_PER_S, burst=limits.SENDS_BURST) if is_on() else 0.0


def give_back_send(actor_id: UUID) -> None:
    """Uncount a send that was not a new message."""
    if is_on():
        _count(f"rate:send:{actor_id}", -1, limits.SENDS_PER_S, limits.SENDS_BURST)


def _count(key: str, cost: int, per_s: float, burst: int) -> float:
    try:
        with CACHE.guard():
            return int(scripts.run(redis.cache, "rate", [key], [per_s, burst, cost])) / 1000
    except Down:
        return _count_here(key, cost, time.monotonic(), per_s, burst)


def _count_here(
    key: str, cost: int, now: float, per_s: float = limits.SENDS_PER_S, burst: int = limits.SENDS_BURST
) -> float:
    step = 1 / per_s
    with _lock:
        if len(_due) > REMEMBERED_MAX:
            _forget_the_slow(now)
        due = max(now, _due.get(key, now)) + step * cost
        wait = due - now - step * burst
        if cost > 0 and wait > 1e-9:
            return wait
        _due[key] = due
    return 0.0


def _forget_the_slow(now: float) -> None:
    for key in [one for one, due in _due.items() if due <= now]:
        del _due[key]
