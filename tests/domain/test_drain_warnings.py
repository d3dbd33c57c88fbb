"""A drain that waits for a Redis says so now and then: not at every try, and also where the machine has just started."""

from __future__ import annotations

import logging
import time

import pytest

from app.domain import drain
from app.extensions import REDIS_AWAY, redis
from app.kernel.breaker import Breaker
from app.live import log

pytestmark = pytest.mark.fast


class Clock:
    """The time, and an event that is set when it is over; waiting for it lets the time go by."""

    def __init__(self, now: float, until: float) -> None:
        self.now, self.until, self.tries = now, until, 0

    def is_set(self) -> bool:
        return self.now >= self.until

    def wait(self, timeout_s: float) -> bool:
        self.now, self.tries = self.now + timeout_s, self.tries + 1
        return self.is_set()


def test_what_keeps_the_drain_waiting_is_told_every_half_minute(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock(now=3.0, until=3.0 + 4 * drain.WARN_EVERY_S)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(redis, "_log", None)
    monkeypatch.setattr(log, "LOG", Breaker("the message log's Redis", REDIS_AWAY))
    with caplog.at_level(logging.WARNING, logger=drain.__name__):
        drain.run(clock)  # type: ignore[arg-type]
    told = [record for record in caplog.records if "the drain waits" in record.getMessage()]
    assert clock.tries == 8 * drain.WARN_EVERY_S
    assert len(told) == 4
    assert {record.levelname for record in told} == {"WARNING"}
