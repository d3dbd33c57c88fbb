"""How long a database call may keep its caller waiting, whatever has become of the server.

``statement_timeout`` is kept by the server; one that is stopped or cut off keeps nothing, and libpq then waits for ever.
psycopg2 lets the waiting be done by a callback: this one gives up. It waits with ``select``, so it is cooperative wherever
that is (eventlet, gevent) and plain where it is not.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Any

Wait = Callable[[Any], None]


def limited(limit_s: float, *, reads: int, writes: int, error: type[Exception]) -> Wait:
    """Make a wait callback that raises ``error`` after ``limit_s``; ``reads`` and ``writes`` are the driver's poll states."""

    def wait(connection: Any) -> None:
        deadline = time.monotonic() + limit_s
        while True:
            state = connection.poll()
            if state not in (reads, writes):
                return
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not _ready(connection.fileno(), remaining, for_reading=state == reads):
                raise error(f"the database did not answer within {limit_s} s")

    return wait


def _ready(descriptor: int, timeout_s: float, *, for_reading: bool) -> bool:
    if hasattr(select, "poll"):  # takes descriptors above 1,023; eventlet takes it away and its select takes them
        poll = select.poll()
        poll.register(descriptor, select.POLLIN if for_reading else select.POLLOUT)
        return bool(poll.poll(timeout_s * 1000))
    wanted = [descriptor]
    found = select.select(wanted if for_reading else [], [] if for_reading else wanted, [], timeout_s)
    return bool(found[0] or found[1])
