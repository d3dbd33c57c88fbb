"""After a large batch of direct writes the next one is let grow, while it does and for a moment only."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from app.domain import groupcommit

pytestmark = pytest.mark.fast


class Clock:
    """Time that passes while one sleeps; as many send meanwhile as ``comers`` says."""

    def __init__(self, queue: deque[Any], comers: list[int]) -> None:
        self.now, self.queue, self.comers = 0.0, queue, comers

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.queue.extend(range(self.comers.pop(0) if self.comers else 0))


@pytest.mark.parametrize(
    ("waiting", "comers", "taken", "steps"),
    [
        (0, [], 0, 0),
        (25, [], 25, 1),
        (25, [10, 15], 50, 3),
        (1, [1] * 100, 6, 5),
        (1, [600], 601, 1),
    ],
    ids=["nobody waits", "nobody comes", "all who were answered come", "they come without end", "enough"],
)
def test_a_batch_is_let_grow_while_it_does(
    monkeypatch: pytest.MonkeyPatch, waiting: int, comers: list[int], taken: int, steps: int
) -> None:
    queue: deque[Any] = deque(range(waiting))
    clock = Clock(queue, list(comers))
    monkeypatch.setattr(groupcommit, "_queue", queue)
    monkeypatch.setattr(groupcommit, "time", clock)
    groupcommit._let_more_come()
    assert len(queue) == taken
    assert clock.now == pytest.approx(steps * groupcommit.GATHER_STEP_S)
