"""Signs of life of whoever drains the log, so that a web process takes over when there is none."""

from __future__ import annotations

import os
import socket

from app.extensions import LOG, redis

KEY = "drainer:alive"
LIFE_MS = 2_000


def alive() -> None:
    """Show that this process drains; raises Down."""
    with LOG.guard():
        redis.log.set(KEY, f"{socket.gethostname()}:{os.getpid()}", px=LIFE_MS)


def is_any_alive() -> bool:
    """Tell whether some process has shown within two seconds that it drains; raises Down."""
    with LOG.guard():
        return bool(redis.log.exists(KEY))
