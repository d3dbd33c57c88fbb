"""Asking together: each gets its own answer, from a call that began after it asked; nobody waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from unittest.mock import patch

import pytest

from app.kernel.gathering import Gathering

pytestmark = pytest.mark.fast


def _all_at_once(gathering: Gathering[int, int], count: int) -> dict[int, int | str]:
    got: dict[int, int | str] = {}

    def ask(number: int) -> None:
        try:
            got[number] = gathering.ask(number)
        except ValueError as error:
            got[number] = str(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    return got


@pytest.mark.parametrize("turns", [1, 3])
def test_each_gets_its_own_answer_and_calls_are_shared(turns: int) -> None:
    batches: list[int] = []

    def answer_all(asked: Sequence[int]) -> list[int]:
        batches.append(len(asked))
        time.sleep(0.01)
        return [number * 2 for number in asked]

    got = _all_at_once(Gathering(answer_all, at_most=16, turns=turns), 60)
    assert got == {number: number * 2 for number in range(60)}
    assert sum(batches) == 60
    assert max(batches) <= 16
    assert len(batches) < 40


def test_a_failure_is_told_to_all_who_asked_with_it_and_to_nobody_after() -> None:
    failing = [True]

    def answer_all(asked: Sequence[int]) -> list[int]:
        if failing[0]:
            raise ValueError("away")
        return list(asked)

    gathering = Gathering(answer_all)
    assert set(_all_at_once(gathering, 5).values()) == {"away"}
    failing[0] = False
    assert gathering.ask(7) == 7


def test_an_answer_comes_from_a_call_that_began_after_the_question() -> None:
    gate, state = threading.Event(), {"value": 1}

    def answer_all(asked: Sequence[int]) -> list[int]:
        found = state["value"]
        if found == 1:
            gate.wait(5)
        return [found for _ in asked]

    gathering = Gathering(answer_all)
    first = threading.Thread(target=gathering.ask, args=(0,))
    first.start()
    time.sleep(0.05)
    state["value"] = 2
    later: list[int] = []
    second = threading.Thread(target=lambda: later.append(gathering.ask(1)))
    second.start()
    gate.set()
    first.join(5)
    second.join(5)
    assert later == [2]


def test_with_several_turns_a_call_that_hangs_holds_up_nobody_else() -> None:
    gate = threading.Event()

    def answer_all(asked: Sequence[int]) -> list[int]:
        if 0 in asked:
            gate.wait(5)
        return list(asked)

    gathering = Gathering(answer_all, turns=2)
    stuck = threading.Thread(target=gathering.ask, args=(0,))
    stuck.start()
    time.sleep(0.05)
    assert [gathering.ask(number) for number in (1, 2, 3)] == [1, 2, 3]
    gate.set()
    stuck.join(5)


def test_those_on_their_way_to_ask_are_let_come_first() -> None:
    calls: list[list[int]] = []

    def answer_all(asked: Sequence[int]) -> Sequence[int]:
        calls.append(list(asked))
        return asked

    gathering: Gathering[int, int] = Gathering(answer_all, expects_more=True)
    ready = threading.Barrier(2)

    def come() -> None:
        ready.wait(5)
        gathering.ask(2)

    def arrive() -> None:  # what runs while the first looks around
        ready.wait(5)
        other.join(0.5)

    other = threading.Thread(target=come)
    other.start()
    with patch("app.kernel.gathering.let_others_come", arrive):
        gathering.ask(1)
    other.join(5)
    assert calls == [[1, 2]]


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Gated:
    """Calls that each wait until they are let go on, in order."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.gates = [threading.Event() for _ in range(4)]

    def __call__(self, asked: Sequence[int]) -> list[int]:
        self.calls.append(list(asked))
        self.gates[len(self.calls) - 1].wait(5)
        return list(asked)


def test_who_is_answered_waits_for_no_later_call() -> None:
    gated = Gated()
    gathering = Gathering(gated)
    got: list[int] = []
    threads = [threading.Thread(target=lambda n=n: got.append(gathering.ask(n)), daemon=True) for n in range(7)]
    threads[0].start()
    _until(lambda: len(gated.calls) == 1)
    for thread in threads[1:6]:
        thread.start()
    _until(lambda: len(gathering._waiting) == 5)
    gated.gates[0].set()
    _until(lambda: len(gated.calls) == 2)
    threads[6].start()
    _until(lambda: len(gathering._waiting) == 1)
    gated.gates[1].set()
    _until(lambda: len(gated.calls) == 3)  # the third call hangs, and those of the second go their way
    _until(lambda: sorted(got) == [0, 1, 2, 3, 4, 5])
    gated.gates[2].set()
    _until(lambda: sorted(got) == list(range(7)))


@pytest.mark.parametrize("is_chosen", [False, True])
def test_one_who_is_killed_while_they_wait_leaves_nobody_waiting(is_chosen: bool) -> None:
    gated = Gated()
    gathering = Gathering(gated)
    sleep = gathering._sleep
    got: list[int] = []

    def sleep_and_die(ticket: Any) -> None:
        if ticket.asked != 1 or is_chosen:
            sleep(ticket)  # woken, to ask for all who wait
        if ticket.asked == 1:
            raise SystemExit

    def ask(number: int) -> None:
        with suppress(SystemExit):
            got.append(gathering.ask(number))

    threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(3)]
    with patch.object(gathering, "_sleep", sleep_and_die):
        threads[0].start()
        _until(lambda: len(gated.calls) == 1)
        threads[1].start()
        _until(lambda: bool(gathering._waiting) if is_chosen else not threads[1].is_alive())
        threads[2].start()
        _until(lambda: len(gathering._waiting) == 1 + is_chosen)
        for gate in gated.gates:
            gate.set()
        _until(lambda: sorted(got) == [0, 2])
    assert gathering.ask(3) == 3
