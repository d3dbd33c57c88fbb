"""The filter of every message id ever accepted: "no" is certain, "perhaps" is settled by the database.

It is what makes deduplication hold for ever without asking PostgreSQL on each send. A Bloom filter (Bloom 1970) of 2^27
bits and 7 hashes: under 1 % "perhaps" up to 14 million messages; beyond that only more questions to the database. Ids are
themselves hashes (UUID version 5), so their halves serve as the two hashes of Kirsch and Mitzenmacher 2006.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from uuid import UUID, uuid4

from app.extensions import LOG, redis
from app.live import scripts

FILTER = "seen:filter"
COMPLETE = "seen:complete"
FILLING = "seen:filling"
BITS = 2**27
HASHES = 7
HALVES = struct.Struct(">QQ")
MERGED_AT_ONCE, ASIDE_S = 2**18, 600  # bytes; how long what nobody came to merge is kept
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


class Built:
    """A filter in this process's own memory, for ids by the million: told one by one they would be a hundred times the bytes,
    each of which waits for the log's disk.
    """

    def __init__(self) -> None:
        self._bytes = bytearray(BITS // 8)

    def put(self, ids: bytes) -> None:
        """Put ids in, 16 bytes each."""
        held = self._bytes
        for high, low in HALVES.iter_unpack(ids):
            place, step = high & (BITS - 1), low & (BITS - 1) | 1
            for _ in range(HASHES):
                held[place >> 3] |= 0x80 >> (place & 7)
                place = (place + step) & (BITS - 1)

    def merge(self) -> None:
        """Add all that is in it to the filter; raises Down."""
        aside = f"{FILTER}:{uuid4().hex}"
        with LOG.guard():
            for start in range(0, len(self._bytes), MERGED_AT_ONCE):
                redis.log.setrange(aside, start, bytes(self._bytes[start : start + MERGED_AT_ONCE]))
                if start == 0:
                    redis.log.expire(aside, ASIDE_S)
            redis.log.bitop("OR", FILTER, FILTER, aside)
            redis.log.unlink(aside)


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
