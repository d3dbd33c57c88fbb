"""The filter of every message id ever accepted: "no" is certain, "perhaps" is settled by the database.

It is what makes deduplication hold for ever without asking PostgreSQL on each send. A Bloom filter (Bloom 1970) of 2^27
bits and 7 hashes: under 1 % "perhaps" up to 14 million messages; beyond that only more questions to the database. Ids are
themselves hashes (UUID version 5), so their halves serve as the two hashes of Kirsch and Mitzenmacher 2006.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from app.extensions import LOG, redis

FILTER = "seen:filter"
COMPLETE = "seen:complete"
BITS = 2**27
HASHES = 7


def bits(message_id: UUID) -> str:
    """Give the places of an id in the filter, comma separated."""
    high, low = message_id.int >> 64, (message_id.int & (2**64 - 1)) | 1
    return ",".join(str((high + i * low) % BITS) for i in range(HASHES))


def is_complete() -> bool:
    """Tell whether the filter holds every committed id, so that its "no" can be believed; raises Down."""
    with LOG.guard():
        return bool(redis.log.exists(COMPLETE))


def add(ids: Iterable[UUID]) -> None:
    """Add committed ids, in one round trip; raises Down."""
    with LOG.guard():
        pipe = redis.log.pipeline(transaction=False)
        for message_id in ids:
            sets = [part for bit in bits(message_id).split(",") for part in ("SET", "u1", bit, 1)]
            pipe.execute_command("BITFIELD", FILTER, *sets)
        pipe.execute()


def declare_complete() -> None:
    """Say that every committed id is in the filter; raises Down."""
    with LOG.guard():
        redis.log.set(COMPLETE, "1")


def distrust() -> None:
    """Say that ids may be missing (messages were committed past the log); raises Down."""
    with LOG.guard():
        redis.log.delete(COMPLETE)
