"""Telling keeps the order of the commits, and puts together what it can where much is going on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.domain import announce, telling
from app.domain.batches import Outcome
from tests.support.stack import until

pytestmark = pytest.mark.fast


class Listener:
    """What was told, in pieces; ``go_on`` lets a piece be told."""

    def __init__(self) -> None:
        self.pieces: list[list[int]] = []
        self.is_told = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def created(self, outcome: Outcome) -> None:
        self.is_told.set()
        assert self.go_on.wait(20)
        self.pieces.append([event["seq"] or 0 for event in outcome.created])


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    telling.finish()
    listening = Listener()
    monkeypatch.setattr(announce, "created", listening.created)
    yield listening
    listening.go_on.set()
    telling.finish()


def batch(first: int, count: int) -> Outcome:
    events: Any = [{"seq": seq} for seq in range(first, first + count)]
    return Outcome(created=events, encoded=[b""] * count)


def test_a_small_batch_is_told_at_once(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "GATHER_S", 20)
    telling.tell(batch(1, telling.BUSY_FROM - 1))
    until(lambda: listener.pieces, within_s=5, what="the batch")


def test_where_batches_are_large_what_follows_is_told_with_them(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "GATHER_S", 20)
    for number in range(3):
        telling.tell(batch(1 + 20 * number, 20))
        time.sleep(0.05)  # long enough for one that does not wait to be told alone
    telling.finish()
    assert listener.pieces == [list(range(1, 61))]


def test_what_is_committed_while_a_batch_is_told_is_told_together_and_in_order(listener: Listener) -> None:
    listener.go_on.clear()
    telling.tell(batch(1, 1))
    assert listener.is_told.wait(5)
    for number in range(2, 6):
        telling.tell(batch(number, 1))
    listener.go_on.set()
    telling.finish()
    assert listener.pieces == [[1], [2, 3, 4, 5]]


def test_who_waits_for_the_end_is_not_kept_waiting_for_more(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "GATHER_S", 20)
    telling.tell(batch(1, 20))
    began = time.monotonic()
    telling.finish()
    assert listener.pieces == [list(range(1, 21))]
    assert time.monotonic() - began < 5


def test_commits_do_not_run_away_from_telling(listener: Listener) -> None:
    listener.go_on.clear()
    given: list[int] = []

    def commit() -> None:
        for number in range(1, 40):
            telling.tell(batch(number, 1))
            given.append(number)

    committer = threading.Thread(target=commit)
    committer.start()
    until(lambda: len(given) >= telling.AHEAD_MAX, what="as many as may wait")
    time.sleep(0.2)
    assert len(given) <= 2 * telling.AHEAD_MAX
    listener.go_on.set()
    committer.join(5)
    telling.finish()
    assert [seq for piece in listener.pieces for seq in piece] == list(range(1, 40))
