"""The cache of memberships that the accept asks, beside the log. Losing an entry costs a read; a stale one is never stored."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid4

from app.extensions import LOG, redis
from app.live import scripts

TTL_S = 300


def member_key(conversation_id: object, profile_id: object) -> str:
    """Name the key that says that a profile may write in a conversation."""
    return f"member:{conversation_id}:{profile_id}"


def begin_load(conversation_id: UUID) -> bytes:
    """Take the conversation's token before its membership is read from the database; raises Down."""
    key = f"member-token:{conversation_id}"
    with LOG.guard():
        redis.log.set(key, uuid4().hex, nx=True, ex=TTL_S * 4)
        return bytes(redis.log.get(key) or b"")


def finish_load(conversation_id: UUID, profile_id: UUID, token: bytes) -> bool:
    """Store what was read, unless the token has changed since (an eviction, or a Redis that restarted)."""
    keys = [member_key(conversation_id, profile_id), f"member-token:{conversation_id}"]
    with LOG.guard():
        return bool(scripts.run(redis.log, "remember_member", keys, [token, TTL_S]))


def evict(conversation_id: UUID, profile_ids: Iterable[UUID]) -> None:
    """Forget memberships, and make every load that is under way forget them too; raises Down."""
    with LOG.guard():
        pipe = redis.log.pipeline(transaction=True)
        pipe.set(f"member-token:{conversation_id}", uuid4().hex, ex=TTL_S * 4)
        for profile_id in profile_ids:
            pipe.delete(member_key(conversation_id, profile_id))
        pipe.execute()
