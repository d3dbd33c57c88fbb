"""The streams of the message log: one, unless CHAT_LOG_SHARDS says more; then each drainer takes its share of them.

A conversation's messages wait in one stream, by hash; while some wait, what follows goes to the same one, whatever the
setting says meanwhile. So one drainer at a time sees all of a conversation, in order.
"""

from __future__ import annotations

import os
import socket
import time
from zlib import crc32

from app.extensions import LOG, redis
from app.kernel.settings import settings
from app.live import scripts

STREAM = "messages:log"
COUNT = "log:shards"  # the most streams that were ever written to
LEASE_MS = 2_000
ASK_EVERY_S = 1.0
_most: list[tuple[str | None, float, int]] = [(None, 0.0, 1)]  # of which log, when it was asked, and the answer


def stream(shard: int) -> str:
    """Name a stream; the first is the only one there is by default."""
    return f"{STREAM}:{shard}" if shard else STREAM


def home(conversation_id: str) -> str:
    """Name the stream of a conversation of which nothing waits."""
    return stream(crc32(conversation_id.encode()) % settings().log_shards)


def everyone() -> range:
    """Give all shards that may hold something; raises Down. How many there once were is asked once a second."""
    now, (url, asked_at, most) = time.monotonic(), _most[0]
    if url != redis.log_url or now - asked_at > ASK_EVERY_S:
        with LOG.guard():
            most = int(redis.log.get(COUNT) or 1)
        _most[0] = (redis.log_url, now, most)
    return range(max(settings().log_shards, most))


def mine() -> list[int]:
    """Take, and keep for two seconds, this process's fair share of the shards; raises Down."""
    shards = everyone()
    if len(shards) == 1:
        return [0]
    keys = ["drainers", *(f"drainer:shard:{shard}" for shard in shards)]
    with LOG.guard():
        return [int(shard) for shard in scripts.run(redis.log, "claim", keys, [_me(), LEASE_MS])]


def _me() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
