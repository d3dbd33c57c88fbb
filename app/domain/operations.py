"""What an operator asks of a process."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from app.domain import hearing, modes
from app.extensions import CACHE, LOG, redis
from app.kernel import patience
from app.kernel.actor import SYSTEM
from app.kernel.breaker import Breaker, Down
from app.kernel.errors import DomainError, Unavailable
from app.live import pulse
from app.models import transaction
from app.outbound import jobs

PROBE_S = 1.0
SILENT = "does not answer"


def readiness() -> dict[str, Any]:
    """Ask each part, none of them for longer than a second. Ready means that a message can be accepted: this process
    hears the others, and the database answers, or the log where sends go there first. Raises Unavailable where it is not.
    """
    parts = {"database": _database(), "logRedis": _answers(LOG, "log"), "cacheRedis": _answers(CACHE, "cache")}
    mode, why = modes.decide()
    wrong = {name: [SILENT] for name, is_up in parts.items() if not is_up}
    if hearing.is_deaf():
        raise _not_ready({**wrong, "notices": ["come over neither Redis nor the database"]})
    if not parts["database"] and not (mode == "behind" and parts["logRedis"]):
        raise _not_ready(wrong)
    return {"ready": True, "parts": parts, "writeMode": mode, "because": why}


def _not_ready(fields: dict[str, list[str]]) -> Unavailable:
    sentence = "; ".join(f"{name} {' '.join(why)}" for name, why in fields.items())
    return Unavailable(f"This process accepts no messages just now: {sentence}.", fields=fields)


def _database() -> bool:
    try:
        with patience.at_most(PROBE_S), transaction(SYSTEM) as tx:
            tx.execute(text("SELECT 1 FROM profiles LIMIT 1"))
    except DomainError:
        return False
    return True


def _answers(breaker: Breaker, which: str) -> bool:
    try:
        with breaker.guard():
            return bool(getattr(redis, which).ping())
    except Down:
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
