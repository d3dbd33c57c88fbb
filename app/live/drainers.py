"""Signs of life of whoever drains the log, so that a web process takes over when there is none."""

from __future__ import annotations

import os
import socket
import time

from app.extensions import LOG, redis

KEY = "drainer:alive"
LIFE_MS = 2_000
SHOW_EVERY_S = 0.25  # each showing is a write that waits for the log's disk
_shown: dict[str | None, float] = {}


def alive() -> None:
    """Show that this process drains, if it has not just done so; raises Down."""
    now, url = time.monotonic(), redis.log_url
    if now - _shown.get(url, float("-inf")) < SHOW_EVERY_S:
        return
    with LOG.guard():
        redis.log.set(KEY, f"{socket.gethostname()}:{os.getpid()}", px=LIFE_MS)
    _shown[url] = now


def is_any_alive() -> bool:
    """Tell whether some process has shown within two seconds that it drains; raises Down."""
    with LOG.guard():
        return bool(redis.log.exists(KEY))
