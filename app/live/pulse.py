"""Signs of life of the worker and of beat, for the doctor and the metrics."""

from __future__ import annotations

import time

from app.extensions import CACHE, LOG, redis

TICK = "beat:ticked"
TICK_EVERY_S = 5
KEPT_S = 3600


def answered(word: str) -> None:
    """Note that a worker has read a word; raises Down."""
    with CACHE.guard():
        redis.cache.set(f"worker:answered:{word}", b"1", ex=60)


def take_answer(word: str) -> bool:
    """Tell whether a worker has read a word, and forget it; raises Down."""
    with CACHE.guard():
        return bool(redis.cache.delete(f"worker:answered:{word}"))


def ticked() -> None:
    """Note that a job of beat's was run; raises Down."""
    with CACHE.guard():
        redis.cache.set(TICK, f"{time.time():.3f}", ex=KEPT_S)


def last_tick() -> float | None:
    """Give when a job of beat's was last run (seconds since 1970), None where not within the hour; raises Down."""
    with CACHE.guard():
        held = redis.cache.get(TICK)
    return float(held) if held else None


def memory(which: str) -> tuple[int, int]:
    """Give (bytes in use, most bytes; 0 for no limit) of the log's or the cache's Redis; raises Down."""
    client, breaker = (redis.log, LOG) if which == "log" else (redis.cache, CACHE)
    with breaker.guard():
        found = client.info("memory")
    return int(found["used_memory"]), int(found.get("maxmemory") or 0)
