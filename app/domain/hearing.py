"""Whether this process still hears what the others make true: a removed member, a revoked session.

One that hears neither bus for a second accepts nothing from a cache and closes its sockets: it may be the only one that
does not know.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

log = logging.getLogger(__name__)
DEAF_AFTER_S = 1.0
LOOK_EVERY_S = 0.2


class Ear(Protocol):
    """Something that hears, and when it last did (monotonic seconds)."""

    heard_at: float


_ears: list[Ear] = []
_emits_ear: list[Ear] = []


def listen_with(*ears: Ear | None, emits: Ear | None = None) -> None:
    """Name what this process hears notices with, and which of them hears the emits of other processes too.

    A process that names nothing (a worker, a test) is never deaf.
    """
    _ears[:] = [ear for ear in (*ears, emits) if ear is not None]
    _emits_ear[:] = [emits] if emits is not None else []
    now = time.monotonic()
    for ear in _ears:
        ear.heard_at = max(ear.heard_at, now + 2)  # a start is no deafness


def is_deaf() -> bool:
    """Tell whether nothing has been heard on any bus for a second."""
    return bool(_ears) and time.monotonic() - max(ear.heard_at for ear in _ears) > DEAF_AFTER_S


def misses_emits() -> bool:
    """Tell whether the emits of other processes have not been heard for a second: they may well go out to all the others."""
    return any(time.monotonic() - ear.heard_at > DEAF_AFTER_S for ear in _emits_ear)


def watch(stopping: threading.Event, close_sockets: Callable[[], None]) -> None:
    """Close the sockets when this process goes deaf."""
    was_deaf, looked_at = False, time.monotonic()
    while not stopping.wait(LOOK_EVERY_S):
        is_punctual, looked_at = time.monotonic() - looked_at < 2 * LOOK_EVERY_S, time.monotonic()
        deaf = is_deaf()
        if deaf and was_deaf and is_punctual:  # a process that was only slow has read nothing yet of what it was told
            log.warning("this process hears neither Redis nor the database: its sockets are closed")
            close_sockets()
            deaf = False
        was_deaf = deaf
