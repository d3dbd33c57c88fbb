"""The two Redis: reached, writable, kept as the write mode wants it, with room."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import redis

from app.cli.doctor.findings import Doubt, Sick, first_line
from app.domain import modes
from app.extensions import redis as bound
from config import Config

FULL = 0.9
CURES: tuple[tuple[type[Exception], str], ...] = (
    (redis.AuthenticationError, "Redis at {where} refuses the password: correct it in {setting} or REDIS_PASSWORD."),
    (redis.BusyLoadingError, "Redis at {where} is loading its data: wait, then ask again."),
    (redis.ReadOnlyError, "Redis at {where} is a read-only replica: name its master in {setting}."),
    (redis.OutOfMemoryError, "Redis at {where} is out of memory and refuses writes: raise its maxmemory."),
    (redis.TimeoutError, "Redis at {where} does not answer: restart it, or see that no firewall is in between."),
)  # fmt: skip


def _cured(url: str, setting: str, error: Exception) -> Sick:
    parts = urlsplit(url)
    where = f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else parts.path
    said = first_line(error)
    if "MISCONF" in said:
        return Sick(f"Redis at {where} cannot save to its disk and refuses writes: see its log, and the disk's space.")
    if "NOAUTH" in said or "WRONGPASS" in said:
        error = redis.AuthenticationError()
    for kind, cure in CURES:
        if isinstance(error, kind):
            return Sick(cure.format(where=where, setting=setting))
    return Sick(f"Redis at {where} cannot be used ({said}): start it (`make run` does), or correct {setting}.")


def _client(which: str) -> tuple[Any, str, str]:
    if which == "log":
        return bound.log, bound.log_url or "", "MESSAGE_LOG_REDIS_URL"
    return bound.cache, bound.url or "", "REDIS_URL"


def writable(which: str) -> str:
    """Write, read and delete; then look at the room there is."""
    client, url, setting = _client(which)
    try:
        client.set("doctor:wrote", b"1", ex=10)
        answered = client.get("doctor:wrote")
        client.delete("doctor:wrote")
        memory, server = client.info("memory"), client.info("server")
    except (redis.RedisError, OSError) as error:
        raise _cured(url, setting, error) from error
    if answered != b"1":
        raise Sick(
            f"The {which}'s Redis does not give back what was written: {setting} must name one server, not several."
        )
    used, most = int(memory["used_memory"]), int(memory.get("maxmemory") or 0)
    if most and used > FULL * most:
        raise Sick(f"The {which}'s Redis has used {_mb(used)} of its {_mb(most)}: raise its maxmemory.")
    return f"Redis {server['redis_version']}, {_mb(used)} of {_mb(most) if most else 'no set limit'} in use"


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.0f} MB"


def write_mode(config: Config) -> str:
    """Say which way messages go, and why."""
    mode, why = modes.decide()
    words = f"{mode}: {why}"
    if mode == "behind" and "beware" in why:
        raise Doubt(f"{words}. Set appendonly yes, appendfsync always and noeviction, or MESSAGE_WRITE_MODE=auto.")
    if mode == "through" and config.message_write_mode == "auto" and config.redis_url:
        raise Doubt(f"{words}. Slower and as safe; for behind: appendonly yes, appendfsync always, noeviction.")
    return words


def evicts() -> str:
    """See that the cache's Redis throws away nothing that has no time to live: queued jobs."""
    client, url, setting = _client("cache")
    try:
        policy = str(next(iter(client.config_get("maxmemory-policy").values()), ""))
    except redis.ResponseError:
        raise Doubt(
            "It may not be asked (CONFIG GET is refused): see that it evicts only what has a time to live."
        ) from None
    except (redis.RedisError, OSError) as error:
        raise _cured(url, setting, error) from error
    if policy.startswith("allkeys"):
        raise Sick(f"The cache's Redis may throw away queued jobs ({policy}): set maxmemory-policy volatile-lru.")
    return f"{policy}: queued jobs stay"
