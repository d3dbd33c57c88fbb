"""Presence in Redis: what each device says, and what was last told of its person. All of it expires by itself."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from app.extensions import CACHE, redis
from app.live import scripts

TTL_S = 60
SEEN = "presence:seen"


class Noted(NamedTuple):
    """What is noted of a device: whose it is and its state (``gone`` takes it away)."""

    profile_id: UUID
    device: str
    status: str


def note(notes: Sequence[Noted], now: datetime) -> list[tuple[str, str]]:
    """Note devices' states and that their people were seen, any number in one round trip.

    Gives (the person's status, the status last told) of each.

    Raises Down.
    """
    if not notes:
        return []
    at = int(now.timestamp() * 1000)
    calls = [
        (
            [f"presence:devices:{one.profile_id}", f"presence:{one.profile_id}", SEEN],
            [one.device, one.status, at, TTL_S * 1000, str(one.profile_id), now.isoformat()],
        )
        for one in notes
    ]
    with CACHE.guard():
        return [(raw[0].decode(), raw[1].decode()) for raw in scripts.run_many(redis.cache, "presence", calls)]


def told(events: Mapping[UUID, dict[str, Any]]) -> None:
    """Keep what was told of people; raises Down."""
    if events:
        with CACHE.guard():
            pipe = redis.cache.pipeline(transaction=False)
            for profile_id, event in events.items():
                pipe.set(f"presence:{profile_id}", orjson.dumps(event), ex=TTL_S)
            pipe.execute()


def of(profile_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Give what was last told of people who are or were lately here; raises Down."""
    if not profile_ids:
        return {}
    with CACHE.guard():
        raw = redis.cache.mget([f"presence:{profile_id}" for profile_id in profile_ids])
    return {one: orjson.loads(event) for one, event in zip(profile_ids, raw, strict=True) if event}


def forget(profile_ids: Sequence[UUID]) -> None:
    """Forget people altogether; raises Down."""
    if profile_ids:
        with CACHE.guard():
            redis.cache.hdel(SEEN, *map(str, profile_ids))
            redis.cache.delete(*(f"{kind}{one}" for one in profile_ids for kind in ("presence:", "presence:devices:")))


def lately(profile_ids: Sequence[UUID]) -> tuple[set[UUID], dict[UUID, datetime]]:
    """Tell who of these has a device here, and when others were seen since the last flush; raises Down."""
    if not profile_ids:
        return set(), {}
    with CACHE.guard():
        pipe = redis.cache.pipeline(transaction=False)
        pipe.hmget(SEEN, [str(one) for one in profile_ids])
        for one in profile_ids:
            pipe.hvals(f"presence:devices:{one}")
        seen, *devices = pipe.execute()
    now_ms = time.time() * 1000
    pairs = list(zip(profile_ids, devices, strict=True))
    here = {one for one, states in pairs if any(int(state.rpartition(b"|")[2]) > now_ms for state in states)}
    return here, {one: datetime.fromisoformat(at.decode()) for one, at in zip(profile_ids, seen, strict=True) if at}


def seen(limit: int) -> dict[str, str]:
    """Read up to so many notes of who was seen when, as they stand there; raises Down."""
    with CACHE.guard():
        notes = redis.cache.hscan_iter(SEEN, count=1000)
        return {name.decode(): at.decode() for name, at in itertools.islice(notes, limit)}


def forget_seen(notes: Mapping[str, str]) -> None:
    """Take notes away once the database has them; what was noted since stays. Raises Down."""
    with CACHE.guard():
        scripts.run(redis.cache, "forget_seen", [SEEN], [part for note in notes.items() for part in note])
