"""How often something may happen, counted in this process: the generic cell rate algorithm (ITU-T I.371)."""

from __future__ import annotations

import time
from collections.abc import Hashable

from app.kernel.settings import settings

REMEMBERED_MAX = 20_000


class Pace:
    """Lets ``burst`` happen at once and ``per_s`` a second after that, for each key on its own."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._step_s, self._burst = 1 / per_s, burst
        self._due: dict[Hashable, float] = {}

    def take(self, key: Hashable) -> bool:
        """Count one and tell whether it may happen; where it may not, nothing is counted."""
        return self.wait_s(key, take=True) == 0

    def wait_s(self, key: Hashable, *, take: bool = False) -> float:
        """Give the seconds until one may happen, 0 where it may now, or where the rates are off."""
        if not settings().rate_limits_enabled:
            return 0.0
        now = time.monotonic()
        due = max(now, self._due.get(key, now)) + self._step_s
        wait = due - now - self._step_s * self._burst
        if wait > 1e-9:
            return wait
        if take:
            if len(self._due) >= REMEMBERED_MAX:
                self._due = {one: at for one, at in self._due.items() if at > now}
            self._due[key] = due
        return 0.0
