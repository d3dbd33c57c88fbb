"""What an operator asks of a process."""

from __future__ import annotations

from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import text

from app.domain import modes
from app.extensions import redis
from app.kernel.actor import SYSTEM
from app.kernel.breaker import Down
from app.kernel.errors import DomainError
from app.live import pulse
from app.models import transaction
from app.outbound import jobs


def readiness() -> dict[str, Any]:
    """Ask each part. Ready means that a message can be accepted: the database answers, or the log and a drained past do."""
    database = _database()
    log_redis, cache_redis = _answers("log"), _answers("cache")
    mode, why = modes.decide()
    ready = database or (mode == "behind" and log_redis)
    parts = {"database": database, "logRedis": log_redis, "cacheRedis": cache_redis}
    return {"ready": ready, "parts": parts, "writeMode": mode, "because": why}


def _database() -> bool:
    try:
        with transaction(SYSTEM) as tx:
            tx.execute(text("SELECT 1 FROM profiles LIMIT 1"))
    except DomainError:
        return False
    return True


def _answers(which: str) -> bool:
    try:
        return bool(getattr(redis, which).ping())
    except (RedisError, OSError):
        return False


def answer(word: str) -> None:
    """Note that this worker has read a word."""
    try:
        pulse.answered(word)
    except Down:
        pass  # whoever asked sees for itself that Redis is away


def ask_worker(word: str) -> None:
    """Send a word to whichever worker reads it first; ``has_answered`` tells whether one has."""
    jobs.answer_later(word)


def has_answered(word: str) -> bool:
    """Tell whether a worker has read a word that was sent; raises Down."""
    return pulse.take_answer(word)


def tick() -> None:
    """Note that a job which beat has scheduled was run."""
    try:
        pulse.ticked()
    except Down:
        pass


def last_tick() -> float | None:
    """Give when a job of beat's was last run, in seconds since 1970; raises Down."""
    return pulse.last_tick()
