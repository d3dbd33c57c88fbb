"""The filter of every message id ever accepted: "no" is certain, "perhaps" is settled by the database.

It is what makes deduplication hold for ever without asking PostgreSQL on each send. A Bloom filter (Bloom 1970) of 2^27
bits and 7 hashes: under 1 % "perhaps" up to 14 million messages; beyond that only more questions to the database. Ids are
themselves hashes (UUID version 5), so their halves serve as the two hashes of Kirsch and Mitzenmacher 2006.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid4

from app.extensions import LOG, redis
from app.live import scripts

FILTER = "seen:filter"
COMPLETE = "seen:complete"
FILLING = "seen:filling"
BITS = 2**27
HASHES = 7
ADD_AT_ONCE = 250  # ids; more would keep the log from its other callers


def bits(message_id: UUID) -> str:
    """Give the places of an id in the filter, comma separated."""
    return _bits(message_id.int)


def _bits(number: int) -> str:
    high, low = (number >> 64) % BITS, (number & (BITS - 1)) | 1  # BITS is a power of two: these bits decide
    return ",".join([str((high + i * low) % BITS) for i in range(HASHES)])


def add(ids: Iterable[str]) -> None:
    """Add committed ids, in one round trip; raises Down."""
    places = [_bits(int(one.replace("-", ""), 16)) for one in ids]
    parts = [places[start : start + ADD_AT_ONCE] for start in range(0, len(places), ADD_AT_ONCE)]
    if parts:
        with LOG.guard():
            scripts.run_many(redis.log, "seen_add", [([FILTER], [",".join(part)]) for part in parts])


def filling(*, done: str = "") -> str:
    """Give the word of the filling under way (begun now where there is none), or '' where the filter is complete: it holds
    every committed id, and its "no" can be believed. ``done`` names a filling that has come to its end: it counts unless
    the filter was lost or distrusted since. Raises Down.
    """
    with LOG.guard():
        life = str(redis.log.info("server")["run_id"])
        return str(scripts.run(redis.log, "filling", [FILLING, COMPLETE], [life, uuid4().hex, done]).decode())


def distrust() -> None:
    """Say that ids may be missing, also to one who fills just now; raises Down."""
    with LOG.guard():
        redis.log.delete(COMPLETE, FILLING)
