"""How long a sender waits for the answer where the drain falls behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from app.domain import drain, unsettled
from app.kernel import limits

pytestmark = pytest.mark.fast


@pytest.fixture(autouse=True)
def _nothing_waits() -> Iterator[None]:
    unsettled.clear()
    yield
    unsettled.clear()


def begun(number: int, *, before_s: float) -> None:
    event: Any = {"id": f"m{number}"}
    unsettled.begin(event)
    unsettled._waiting[f"m{number}"].since = time.monotonic() - before_s


@pytest.mark.parametrize(
    ("age_s", "last_settled_s", "least", "most"),
    [(0.05, 0.0, 0.0, 0.0), (0.17, 0.0, 0.04, 0.08), (5.0, 0.0, 0.1, 0.1), (5.0, 1.0, 0.0, 0.0)],
    ids=["in time", "a little behind", "far behind", "nothing is committed"],
)
def test_a_sender_waits_as_the_drain_is_behind_and_never_for_a_database_that_is_away(
    age_s: float, last_settled_s: float, least: float, most: float
) -> None:
    begun(1, before_s=age_s)
    begun(2, before_s=0)
    unsettled._settled_at[0] = time.monotonic() - last_settled_s
    assert least <= unsettled.pause_s() <= most


def test_nobody_waits_where_nothing_does() -> None:
    assert unsettled.pause_s() == 0


def test_a_send_that_was_not_accepted_is_no_sign_of_a_database_that_commits() -> None:
    begun(1, before_s=5)
    begun(2, before_s=0)
    unsettled._settled_at[0] = time.monotonic() - 5
    unsettled.end("m2")
    assert unsettled.pause_s() == 0
    begun(3, before_s=0)
    unsettled.settled("m3")
    assert unsettled.pause_s() > 0


def test_what_was_long_on_its_way_into_the_log_is_not_overdue() -> None:
    begun(1, before_s=5)
    assert unsettled.overdue(1.0) == []
    unsettled.accepted({"id": "m1"})
    assert unsettled.overdue(1.0) == []
    unsettled._waiting["m1"].accepted_at = time.monotonic() - 2
    assert [waiting.event["id"] for waiting in unsettled.overdue(1.0)] == ["m1"]


@pytest.mark.parametrize("first", ["refused first", "accepted first"])
def test_what_is_sent_twice_at_once_is_looked_after_where_one_of_both_was_accepted(first: str) -> None:
    begun(1, before_s=0)
    unsettled.begin({"id": "m1"})
    if first == "refused first":
        unsettled.end("m1")
    unsettled.accepted({"id": "m1"})
    if first == "accepted first":
        unsettled.end("m1")
    unsettled.end("m1")
    assert [waiting.event["id"] for waiting in unsettled.all_waiting()] == ["m1"]


@pytest.mark.parametrize(
    ("taken", "took_s", "rest_s"),
    [(5, 0.01, None), (100, 0.01, 0.03), (100, 0.06, 0.0), (limits.DRAIN_BATCH, 0.01, None)],
    ids=["few", "many", "many and slowly", "as many as one takes: more wait"],
)
def test_after_a_large_batch_the_drain_lets_the_next_one_grow(
    monkeypatch: pytest.MonkeyPatch, taken: int, took_s: float, rest_s: float | None
) -> None:
    now, rests, stopping = [7.0], [], threading.Event()

    def turn(*_: Any) -> int:
        now[0] += took_s
        stopping.set()
        return taken

    monkeypatch.setattr(drain, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=rests.append))
    monkeypatch.setattr(drain.shards, "mine", lambda: [0])
    monkeypatch.setattr(drain.drainers, "alive", lambda: None)
    monkeypatch.setattr(drain, "take_turn", turn)
    drain.run(stopping)
    assert rests == ([] if rest_s is None else [pytest.approx(rest_s)])
