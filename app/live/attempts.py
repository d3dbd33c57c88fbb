"""Failed sign-ins, counted across processes; by this process alone while Redis is away. Doors never stand open."""

from __future__ import annotations

import time
from functools import cache

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from app.extensions import redis
from app.kernel import limits
from app.kernel.errors import RateLimited
from app.kernel.settings import settings

FAILURES = RateLimitItemPerSecond(limits.LOGIN_FAILURES, limits.LOGIN_WINDOW_S, namespace="login-failures")


@cache
def _local() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(MemoryStorage())


@cache
def _shared(url: str) -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(RedisStorage(url, connection_pool=redis.cache.connection_pool))


def _limiter() -> FixedWindowRateLimiter:
    if not redis.url:
        return _local()
    try:
        redis.cache.ping()
        return _shared(redis.url)
    except (RedisError, OSError):
        return _local()


def check(places: list[str], refusal: str = "Too many failed sign-ins; try again later.") -> None:
    """Refuse, with this sentence, where too many failed lately; raises RateLimited."""
    if not settings().rate_limits_enabled:
        return
    limiter = _limiter()
    for place in places:
        if not limiter.test(FAILURES, place):
            again_at = limiter.get_window_stats(FAILURES, place).reset_time
            raise RateLimited(max(1, again_at - time.time()), refusal)


def failed(places: list[str]) -> None:
    """Count a failure at each of these places."""
    if settings().rate_limits_enabled:
        limiter = _limiter()
        for place in places:
            limiter.hit(FAILURES, place)
