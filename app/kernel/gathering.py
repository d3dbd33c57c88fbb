"""Doing for all who wait what one would do for each: the first to have the turn takes along whoever has come meanwhile.

So under load a round trip serves fifty callers and an idle process serves one at once; nobody waits for a clock.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

STEPS, MOMENT_S = 6, 0.03
A = TypeVar("A")
B = TypeVar("B")


class _Ticket(Generic[A, B]):
    """One question; who asked sleeps until it is answered, or until it is their turn to ask for all."""

    __slots__ = ("answer", "asked", "bell", "failure", "is_done", "is_rung", "leads")

    def __init__(self, asked: A) -> None:
        self.asked = asked
        self.leads = self.is_done = self.is_rung = False
        self.answer: B | None = None
        self.failure: BaseException | None = None
        self.bell = threading.Lock()  # an Event is a hundred times as dear
        self.bell.acquire()

    def ring(self) -> None:
        """Wake the one who asked. Called with the gathering's lock held."""
        if not self.is_rung:
            self.is_rung = True
            self.bell.release()


def let_others_come() -> None:
    """Let those run who can go on at once, a few steps far or for a moment: nobody, in an idle process, which takes no time.

    Many who come at the same moment would else find each other only while they wait for an answer, a few at a time.
    """
    until = time.monotonic() + MOMENT_S
    for _ in range(STEPS):
        time.sleep(0)
        if time.monotonic() > until:
            break


class Gathering(Generic[A, B]):
    """Callers who ask at the same time, each answered by one call of ``answer_all`` that began after it asked.

    ``turns`` calls may be under way at once: with more than one, a call that hangs does not hold up all who come after.
    With ``expects_more`` those who are on their way to ask are let come first. All who were answered together are woken at
    once: were they to find it out one by one, in their turn, the last of fifty would wait fifty times as long as the first.
    """

    def __init__(
        self,
        answer_all: Callable[[Sequence[A]], Sequence[B]],
        *,
        at_most: int = 64,
        turns: int = 1,
        expects_more: bool = False,
    ) -> None:
        self._answer_all, self._at_most = answer_all, at_most
        self._waiting: deque[_Ticket[A, B]] = deque()
        self._free, self._expects_more = turns, expects_more
        self._lock = threading.Lock()

    def ask(self, asked: A) -> B:
        """Give the answer to one's own question; raises what answering raised, for all who asked with it."""
        ticket: _Ticket[A, B] = _Ticket(asked)
        with self._lock:
            self._waiting.append(ticket)
            if self._free:
                self._free -= 1
                ticket.leads = True
        try:
            while ticket.leads or not ticket.is_done:
                if ticket.leads:
                    self._lead(ticket)
                else:
                    self._sleep(ticket)
        except BaseException:
            self._give_up(ticket)
            raise
        if ticket.failure is not None:
            raise ticket.failure
        return ticket.answer  # type: ignore[return-value]

    def _sleep(self, ticket: _Ticket[A, B]) -> None:
        ticket.bell.acquire()
        with self._lock:
            ticket.is_rung = False

    def _lead(self, ticket: _Ticket[A, B]) -> None:
        if self._expects_more:
            let_others_come()
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._at_most))]
        try:
            if batch:  # else another turn has them all
                self._answer(batch)
        finally:
            with self._lock:
                for each in batch:
                    each.is_done = True
                    if each is not ticket:
                        each.ring()
                self._pass_on(ticket)

    def _answer(self, batch: list[_Ticket[A, B]]) -> None:
        try:
            answers = self._answer_all([each.asked for each in batch])
            for each, answer in zip(batch, answers, strict=True):
                each.answer = answer
        except BaseException as error:
            for each in batch:
                each.failure = error
            if not isinstance(error, Exception):
                raise  # the turn's own end (a killed greenlet); the others are told all the same

    def _pass_on(self, ticket: _Ticket[A, B]) -> None:
        """Give the turn to one who waits, and has none already; else it is free. Called with the lock held."""
        ticket.leads = False
        successor = next((each for each in self._waiting if not each.leads), None)
        if successor is None:
            self._free += 1
        else:
            successor.leads = True
            successor.ring()

    def _give_up(self, ticket: _Ticket[A, B]) -> None:
        """Leave nobody waiting for one who was killed while they waited."""
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            if ticket.leads:
                self._pass_on(ticket)
