"""The cache of memberships that the accept asks, beside the log. Losing an entry costs a read; a stale one is never stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID, uuid4

from app.extensions import LOG, redis
from app.kernel.chunks import chunks
from app.live import scripts

TTL_S = 300
FLOOR = "from:"
AT_ONCE = 500
_unevicted: set[tuple[UUID, UUID]] = set()


def member_key(conversation_id: object, profile_id: object) -> str:
    """Name the key that says that a profile may write in a conversation."""
    return f"member:{conversation_id}:{profile_id}"


def begin_load(conversation_id: UUID) -> bytes:
    """Take the conversation's token before its membership is read from the database; raises Down."""
    key = f"member-token:{conversation_id}"
    with LOG.guard():
        redis.log.set(key, uuid4().hex, nx=True, ex=TTL_S * 4)
        return bytes(redis.log.get(key) or b"")


def finish_load(conversation_id: UUID, profile_id: UUID, token: bytes, *, history_from_seq: int) -> bool:
    """Store what was read, unless the token has changed since (an eviction, or a Redis that restarted)."""
    keys = [member_key(conversation_id, profile_id), f"member-token:{conversation_id}"]
    with LOG.guard():
        return bool(scripts.run(redis.log, "remember_member", keys, [token, TTL_S, f"{FLOOR}{history_from_seq}"]))


def history_from_seq(conversation_id: UUID, profile_id: UUID) -> int | None:
    """Give the position after which a member may read, or None where no membership is known here; raises Down."""
    with LOG.guard():
        held = redis.log.get(member_key(conversation_id, profile_id))
    return int(held[len(FLOOR) :]) if held and held.startswith(FLOOR.encode()) else None


def evict(pairs: Iterable[tuple[UUID, UUID]]) -> None:
    """Forget memberships (conversation, profile), and make every load under way forget them too; raises Down.

    What could not be carried out is kept and tried again (``retry_evictions``): the log may come back with old keys.
    """
    wanted = set(pairs)
    _unevicted.update(wanted)
    _evict(wanted)
    _unevicted.difference_update(wanted)


def retry_evictions() -> None:
    """Carry out the evictions that failed; raises Down."""
    if wanted := set(_unevicted):
        _evict(wanted)
        _unevicted.difference_update(wanted)


def _evict(pairs: Collection[tuple[UUID, UUID]]) -> None:
    with LOG.guard():
        for some in chunks(pairs, AT_ONCE):
            pipe = redis.log.pipeline(transaction=True)
            for conversation_id in {conversation_id for conversation_id, _ in some}:
                pipe.set(f"member-token:{conversation_id}", uuid4().hex, ex=TTL_S * 4)
            pipe.delete(*(member_key(*pair) for pair in some))
            pipe.execute()


def forget_all() -> None:
    """Forget every membership; raises Down."""
    with LOG.guard():
        found = list(redis.log.scan_iter("member:*", count=1_000))
        for start in range(0, len(found), 1_000):
            redis.log.unlink(*found[start : start + 1_000])
