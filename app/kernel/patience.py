"""How long a database call may keep its caller waiting, whatever has become of the server.

``statement_timeout`` is kept by the server; one that is stopped or cut off keeps nothing, and libpq then waits for ever.
psycopg2 lets the waiting be done by a callback: this one gives up. It waits with ``select``, so it is cooperative wherever
that is (eventlet, gevent) and plain where it is not.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Wait = Callable[[Any], None]
Ready = Callable[[int, float, bool], None]  # descriptor, seconds at most, whether it is to be read
LOOK_EVERY_S = 0.25
HOPELESS_AFTER_S = 1.0
# Set while the server answers nobody: whoever has waited a second for it then need not wait out the rest.
hopeless = threading.Event()
_own = threading.local()


@contextmanager
def at_most(limit_s: float) -> Iterator[None]:
    """Have the database calls of this block, in this thread, fail within a shorter time."""
    before = getattr(_own, "limit_s", None)
    _own.limit_s = limit_s
    try:
        yield
    finally:
        _own.limit_s = before


def limited(limit_s: float, *, reads: int, writes: int, error: type[Exception]) -> Wait:
    """Make a wait callback that raises ``error`` after ``limit_s``; ``reads`` and ``writes`` are the driver's poll states."""

    def wait(connection: Any) -> None:
        own_s = getattr(_own, "limit_s", None)
        most_s = limit_s if own_s is None else min(limit_s, own_s)
        began = time.monotonic()
        while True:
            state = connection.poll()
            if state not in (reads, writes):
                return
            waited = time.monotonic() - began
            if waited >= most_s or (waited >= HOPELESS_AFTER_S and hopeless.is_set()):
                raise error(f"the database did not answer within {waited:.1f} s")
            _waiting[0](connection.fileno(), min(LOOK_EVERY_S, most_s - waited), state == reads)

    return wait


def wait_with(wait: Ready) -> None:
    """Have the waiting done by an event loop that has a better way than ``select``."""
    _waiting[:] = [wait]


def _wait_ready(descriptor: int, timeout_s: float, for_reading: bool) -> None:
    if hasattr(select, "poll"):  # takes descriptors above 1,023; eventlet takes it away and its select takes them
        poll = select.poll()
        poll.register(descriptor, select.POLLIN if for_reading else select.POLLOUT)
        poll.poll(timeout_s * 1000)
        return
    wanted = [descriptor]
    select.select(wanted if for_reading else [], [] if for_reading else wanted, [], timeout_s)


_waiting: list[Ready] = [_wait_ready]
