"""A circuit breaker for each Redis: once it fails, callers are told at once, and one probe a second tries again."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

log = logging.getLogger(__name__)
PROBE_EVERY_S = 1.0


class Down(Exception):
    """The Redis behind this call is away, hung or refusing; whether the command ran is not known."""


@dataclass
class Breaker:
    """Guards the calls to one Redis; ``failures`` are the errors that mean it is away."""

    name: str
    failures: tuple[type[Exception], ...]
    lost_at: float = float("-inf")  # when it went away, and when it last answered (monotonic seconds)
    answered_at: float = float("-inf")
    _open_until: float = 0.0
    _is_open: bool = False

    @property
    def is_open(self) -> bool:
        """Tell whether calls are refused at once just now."""
        return self._is_open and time.monotonic() < self._open_until

    @property
    def has_failed(self) -> bool:
        """Tell whether the last call failed (a probe may be due)."""
        return self._is_open

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Run a block that calls this Redis; raises Down on any of its failures."""
        self.check()
        try:
            yield
        except self.failures as error:
            self.failed(error)
            raise Down(self.name) from error
        self.succeeded()

    def check(self) -> None:
        """Let a call pass, or raise Down; half open, one caller probes and the others are refused meanwhile."""
        if self.is_open:
            raise Down(self.name)
        if self._is_open:
            self._open_until = time.monotonic() + PROBE_EVERY_S

    def succeeded(self) -> None:
        """Note that a call went through."""
        self.answered_at = time.monotonic()
        if self._is_open:
            log.warning("%s answers again", self.name)
            self._is_open = False

    def failed(self, error: Exception) -> None:
        """Note that a call failed: the next ones are refused at once."""
        if not self._is_open:
            log.warning("%s is away: %s", self.name, error)
            self.lost_at = time.monotonic()
        self._is_open = True
        self._open_until = time.monotonic() + PROBE_EVERY_S
