"""Up to which moment of the database the heads in the cache are mended: kept in the cache itself, and lost with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.extensions import CACHE, redis

KEY = "heads:healed_at"


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a database: its clock, how many bytes it had ever logged, and which database it was."""

    at: datetime
    logged_bytes: int
    database: int


def last() -> Moment | None:
    """Give the moment up to which the heads are mended; raises Down."""
    with CACHE.guard():
        held = redis.cache.get(KEY)
    parts = held.decode().split("|") if held else []
    return Moment(datetime.fromisoformat(parts[0]), int(parts[1]), int(parts[2])) if len(parts) == 3 else None


def note(moment: Moment) -> None:
    """Note the moment up to which the heads were just mended; raises Down."""
    with CACHE.guard():
        redis.cache.set(KEY, f"{moment.at.isoformat()}|{moment.logged_bytes}|{moment.database}")
