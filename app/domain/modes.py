"""How a send becomes durable: ``behind`` (the log first) or ``through`` (the database before the ack).

``auto`` takes behind only where Redis can be asked and says that an accepted message survives a power cut.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from redis.exceptions import RedisError

from app.extensions import redis
from app.kernel.settings import settings

log = logging.getLogger(__name__)
ASK_AGAIN_S = 1.0
_mode: list[tuple[str, str]] = []
_asked_again_at = [0.0]


def decide() -> tuple[str, str]:
    """Settle on the mode of this process and why; both go into the line that is logged at start.

    It is settled once, but for a Redis that could not be asked: that is asked again a second later.
    """
    if not _mode or _asked_again_at[0] < time.monotonic():
        found, is_sure = _decide()
        _mode[:] = [found]
        _asked_again_at[0] = float("inf") if is_sure else time.monotonic() + ASK_AGAIN_S
    return _mode[0]


def forget() -> None:
    """Have the next question decided anew (a new configuration)."""
    _mode.clear()


def is_behind() -> bool:
    """Tell whether sends go to the log first."""
    return decide()[0] == "behind"


def _decide() -> tuple[tuple[str, str], bool]:
    wanted = settings().message_write_mode
    if wanted == "through":
        return ("through", "it is configured"), True
    if not redis.log_url:
        return ("through", "no Redis is configured"), True
    doubts, was_asked = _doubts()
    if wanted == "behind":
        return ("behind", "it is configured" + (f" (beware: {doubts})" if doubts else "")), True
    if doubts:
        return ("through", doubts), was_asked
    return ("behind", "the log's Redis says appendfsync always and noeviction"), True


def _doubts() -> tuple[str, bool]:
    """Say what speaks against trusting the log, and whether it could be asked at all."""
    try:
        says = {k: v for name in ("appendonly", "appendfsync", "maxmemory-policy") for k, v in _config(name).items()}
        role = redis.log.execute_command("ROLE")
        if isinstance(role, dict):
            role = [role.get("role")]
    except (RedisError, OSError) as error:
        return f"the log's Redis cannot be asked: {error}", False
    return _doubt(says, role), True


def _doubt(says: dict[str, str], role: Any) -> str:
    if says.get("appendonly") != "yes" or says.get("appendfsync") != "always":
        return (
            f"the log's Redis says appendonly {says.get('appendonly')}, appendfsync {says.get('appendfsync')}:"
            " up to a second of accepted messages could be lost with its power"
        )
    if says.get("maxmemory-policy") != "noeviction":
        return f"the log's Redis may evict (maxmemory-policy {says.get('maxmemory-policy')})"
    if role and role[0] not in (b"master", "master"):
        return "the log's Redis is a replica"
    return ""


def _config(name: str) -> dict[str, str]:
    found = redis.log.config_get(name)
    return {_text(key): _text(value) for key, value in found.items()}


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
