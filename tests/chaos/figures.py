"""The figures that Parley promises, each measured in a scene of its own on an otherwise healthy ground."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.ground import Ground
from tests.chaos.line import Fate
from tests.chaos.probe import Pair

SETTLE_S = 1.0


@dataclass(frozen=True)
class Figure:
    """What was measured, its value, and the most that it may be."""

    what: str
    seconds: float
    at_most_s: float

    @property
    def is_kept(self) -> bool:
        """Tell whether the promise is kept."""
        return self.seconds <= self.at_most_s


def measure(ground: Ground, *, database_away_s: float = 5.0) -> list[Figure]:
    """Play every scene."""
    pair = Pair.start(ground.stack.urls)
    try:
        time.sleep(2 * SETTLE_S)
        scenes = [_redis_dies(ground, pair, parts) for parts in (("log",), ("cache",), ("log", "cache"))]
        scenes += [_redis_hangs(ground, pair, parts) for parts in (("log",), ("cache",), ("log", "cache"))]
        drained_s = _database_returns(ground, pair, database_away_s)
    finally:
        pair.close()
    print([tuple(round(x,2) for x in one) for one in scenes])
    again, stalls, live = zip(*scenes, strict=True)
    return [
        Figure("a send is acked again after a Redis dies or hangs", max(again), 1.0),
        Figure("the longest answer meanwhile", max(stalls), 0.7),
        Figure("live again on the other process after a Redis returns", max(live), 2.0),
        Figure(f"drained after PostgreSQL returns ({database_away_s:.0f} s away)", drained_s, 10.0),
    ]


def _redis_dies(ground: Ground, pair: Pair, parts: tuple[str, ...]) -> tuple[float, float, float]:
    def come_back() -> None:
        for part in parts:
            ground.start_again(part)

    return _away(pair, [lambda part=part: ground.kill(part) for part in parts], come_back)


def _redis_hangs(ground: Ground, pair: Pair, parts: tuple[str, ...]) -> tuple[float, float, float]:
    def come_back() -> None:
        for part in parts:
            ground.go_on(part)

    return _away(pair, [lambda part=part: ground.stop(part) for part in parts], come_back)


def _away(pair: Pair, go: list[Callable[[], None]], come_back: Callable[[], None]) -> tuple[float, float, float]:
    since = time.monotonic()
    for begin in go:
        begin()
    time.sleep(3 * SETTLE_S)
    came_back_at = time.monotonic()
    come_back()
    time.sleep(3 * SETTLE_S)
    until = time.monotonic()
    time.sleep(SETTLE_S)
    return pair.acked_again_s(since), pair.longest_answer_s(since), pair.live_again_s(came_back_at, until)


def _database_returns(ground: Ground, pair: Pair, away_s: float) -> float:
    """Everything acked while it was away must be final at both; behind, that is all that was sent."""
    since = time.monotonic()
    ground.kill("postgres")
    time.sleep(away_s)
    ground.start_again("postgres")
    came_back_at = time.monotonic()
    acked = {t.message for p in pair.probes for t in p.tries if t.fate is Fate.OK and t.asked_at >= since}
    while time.monotonic() - came_back_at < 60:
        if all(acked <= probe.final_at.keys() for probe in pair.probes):
            break
        time.sleep(0.02)
    finals = [at for p in pair.probes for own, at in p.final_at.items() if own in acked]
    return max(finals, default=came_back_at) - came_back_at
