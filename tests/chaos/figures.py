"""The figures that Parley promises, each measured in a scene of its own on an otherwise healthy ground."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.ground import Ground, Unlike
from tests.chaos.line import Fate
from tests.chaos.probe import Pair
from tests.chaos.run import Run
from tests.model.system import CONVERSATIONS

SETTLE_S = 1.0
SEEN_WITHIN_S = 12.0


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


def measure(ground: Ground, mode: str, *, seed: int, database_away_s: float = 20.0, messages: int = 60) -> list[Figure]:
    """Play every scene in a write mode."""
    ground.become(mode)
    ground.start()
    found = _measure_outages(ground, database_away_s)
    ground.become(mode, Unlike(plants=("drop emits",)))
    ground.start()
    run = Run(ground, seed=seed, calm=True)
    run.begin()
    unseen_s = longest_unseen_s(run, messages=messages)
    run.rest()
    return [*found, Figure("seen by everybody, with one emit in twenty dropped", unseen_s, SEEN_WITHIN_S)]


def _measure_outages(ground: Ground, database_away_s: float) -> list[Figure]:
    pair = Pair.start(ground.stack.urls)
    try:
        time.sleep(2 * SETTLE_S)
        scenes = [_redis_dies(ground, pair, parts) for parts in (("log",), ("cache",), ("log", "cache"))]
        scenes += [_redis_hangs(ground, pair, parts) for parts in (("log",), ("cache",), ("log", "cache"))]
        drained_s = _database_returns(ground, pair, database_away_s)
    finally:
        pair.close()
    again, stalls, live = zip(*scenes, strict=True)
    return [
        Figure("a send is acked again after a Redis, or both, died or hung", max(again), 1.0),
        Figure("the longest that any answer took meanwhile", max(stalls), 0.7),
        Figure("live again on the other web process after a Redis has returned", max(live), 2.0),
        Figure(f"drained after PostgreSQL, {database_away_s:.0f} s away, has returned", drained_s, 10.0),
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


# Of emits that are lost.


def longest_unseen_s(run: Run, *, messages: int, patience_s: float = SEEN_WITHIN_S + 3) -> float:
    """Have one message after the other written, each alone, and wait until every device shows it as final; gives the
    longest wait. Each is the newest of its conversation, so nothing after it tells that it is missing.
    """
    longest_s = 0.0
    for number in range(messages):
        writer = run.crowd.devices[number % len(run.crowd.devices)]
        conversation = CONVERSATIONS[number % len(CONVERSATIONS)]
        before = time.monotonic()
        writer.told.append(conversation)
        while not _all_show(run, number + 1) and time.monotonic() - before < patience_s:
            time.sleep(0.02)
        longest_s = max(longest_s, time.monotonic() - before)
        if longest_s > patience_s:
            break
    return longest_s


def _all_show(run: Run, count: int) -> bool:
    return all(
        sum(m.persisted for view in d.views.values() for m in list(view.messages.values())) >= count
        for d in run.crowd.devices
    )
