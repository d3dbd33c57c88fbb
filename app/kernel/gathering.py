"""Doing for all who wait what one would do for each: the first to have the turn takes along whoever has come meanwhile.

So under load a round trip serves fifty callers and an idle process serves one at once; nobody waits for a clock.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

STEPS, MOMENT_S = 6, 0.03
A = TypeVar("A")
B = TypeVar("B")


@dataclass(slots=True)
class _Ticket(Generic[A, B]):
    asked: A
    is_taken: bool = False
    is_done: bool = False
    answer: B | None = None
    failure: BaseException | None = None


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
    With ``expects_more`` those who are on their way to ask are let come first.
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
        self._turns, self._turn, self._expects_more = turns, threading.Semaphore(turns), expects_more
        self._answered = threading.Condition()

    def ask(self, asked: A) -> B:
        """Give the answer to one's own question; raises what answering raised, for all who asked with it."""
        ticket: _Ticket[A, B] = _Ticket(asked)
        self._waiting.append(ticket)
        while not ticket.is_done:
            with self._turn:
                if self._expects_more and not ticket.is_taken:
                    let_others_come()
                while not ticket.is_taken:  # more may wait than one call takes
                    self._take_turn()
            if not ticket.is_done:  # another turn has it
                with self._answered:
                    self._answered.wait_for(lambda: ticket.is_done)
        if ticket.failure is not None:
            raise ticket.failure
        return ticket.answer  # type: ignore[return-value]

    def _take_turn(self) -> None:
        batch: list[_Ticket[A, B]] = []
        while self._waiting and len(batch) < self._at_most:
            batch.append(self._waiting.popleft())
            batch[-1].is_taken = True
        try:
            answers = self._answer_all([ticket.asked for ticket in batch])
            for ticket, answer in zip(batch, answers, strict=True):
                ticket.answer = answer
        except BaseException as error:
            for ticket in batch:
                ticket.failure = error
            if not isinstance(error, Exception):
                raise  # the turn's own end (a killed greenlet); the others are told all the same
        finally:
            for ticket in batch:
                ticket.is_done = True
            if self._turns > 1:
                with self._answered:
                    self._answered.notify_all()
