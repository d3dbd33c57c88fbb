"""Failed sign-ins, counted across processes; by this process alone while Redis is away. Doors never stand open."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter

from app.extensions import CACHE, redis
from app.kernel import limits
from app.kernel.breaker import Down
from app.kernel.errors import RateLimited
from app.kernel.settings import settings

T = TypeVar("T")
FAILURES = RateLimitItemPerSecond(limits.LOGIN_FAILURES, limits.LOGIN_WINDOW_S, namespace="login-failures")


@cache
def _local() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(MemoryStorage())


@cache
def _shared(url: str) -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(RedisStorage(url, connection_pool=redis.cache.connection_pool))


def _ask(question: Callable[[FixedWindowRateLimiter], T]) -> T:
    """Ask the shared count, or this process's own while Redis is away."""
    if not redis.url:
        return question(_local())
    try:
        with CACHE.guard():
            return question(_shared(redis.url))
    except Down:
        return question(_local())


def check(places: list[str], refusal: str = "Too many failed sign-ins; try again later.") -> None:
    """Refuse, with this sentence, where too many failed lately; raises RateLimited."""
    if not settings().rate_limits_enabled:
        return
    again_at = _ask(lambda limiter: max(_free_at(limiter, place) for place in places))
    if again_at:
        raise RateLimited(max(1, again_at - time.time()), refusal)


def _free_at(limiter: FixedWindowRateLimiter, place: str) -> float:
    """Give when one may try at a place again (seconds since 1970), 0 for now."""
    return 0.0 if limiter.test(FAILURES, place) else limiter.get_window_stats(FAILURES, place).reset_time


def failed(places: list[str]) -> None:
    """Count a failure at each of these places."""
    if settings().rate_limits_enabled:
        _ask(lambda limiter: [limiter.hit(FAILURES, place) for place in places])
