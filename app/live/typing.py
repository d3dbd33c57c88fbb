"""Notes of who types until when, for the case that the process that keeps the indicator dies."""

from __future__ import annotations

from datetime import datetime

from app.extensions import CACHE, redis

KEY = "typing:expiries"


def remember(name: str, expires_at: datetime) -> None:
    """Note an indicator; raises Down."""
    with CACHE.guard():
        redis.cache.zadd(KEY, {name: expires_at.timestamp()})


def forget(name: str) -> None:
    """Take the note of an ended indicator away; raises Down."""
    with CACHE.guard():
        redis.cache.zrem(KEY, name)


def take_expired(before: datetime) -> list[str]:
    """Take the notes that are older; each goes to one caller only. Raises Down."""
    with CACHE.guard():
        names = [raw.decode() for raw in redis.cache.zrangebyscore(KEY, "-inf", before.timestamp())]
        return [name for name in names if redis.cache.zrem(KEY, name)]
