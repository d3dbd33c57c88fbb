"""Direct writes: the sends that wait in this process go into one transaction together (group commit).

Durable before the ack at a fraction of the cost of a commit each. Whatever this process has accepted into the log and not
seen committed goes first, so that a direct write overtakes nothing; unless its sender's send before it is still in the
log, put there by another process (a client that moved to and fro): then it waits there for the drain.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from uuid import UUID

from app.domain import failures, remembering, telling, unsettled
from app.domain.batches import Outcome, Submission
from app.domain.commit import apply, apply_what_is_free
from app.kernel import limits
from app.kernel.errors import DomainError, Held, Unavailable
from app.kernel.events import MessageEvent

log = logging.getLogger(__name__)
BUSY_FROM = 16  # messages in a batch: after it the next one is let grow
GATHER_S, GATHER_STEP_S = 0.005, 0.001


class Ticket:
    """One send that waits for the database."""

    __slots__ = ("_done", "encoded", "final", "is_new", "refusal", "submission")

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        self.final: MessageEvent | None = None
        self.encoded: bytes | None = None
        self.is_new = False
        self.refusal: DomainError | None = None
        self._done = threading.Lock()  # an Event is a hundred times as dear, and one is made for each send
        self._done.acquire()

    def wait(self) -> None:
        """Wait until it is known what became of it."""
        self._done.acquire()

    def close(self) -> None:
        """Let the one who waits go on."""
        self._done.release()


_queue: deque[Ticket] = deque()
_turn = threading.Lock()
_is_led = threading.Lock()  # taken once and for ever, by the one who starts the committer
_bell = threading.Semaphore(0)  # rung for a committer that waits for work; once too often does no harm
_resting = threading.Event()
_resting.set()


def submit(event: MessageEvent, *, after: UUID | None) -> tuple[MessageEvent, bool, bytes | None]:
    """Commit a message and give (its final event, whether it is new, its text where it was made); raises what refuses it,
    or Unavailable.
    """
    ticket = Ticket(Submission(event, gated=True, after=after))
    _queue.append(ticket)
    if _is_led.acquire(blocking=False):
        threading.Thread(target=_commit_for_ever, daemon=True, name="committer").start()
    _ring()
    ticket.wait()
    if ticket.refusal is not None:
        raise ticket.refusal
    if ticket.final is None:
        raise Held
    return ticket.final, ticket.is_new, ticket.encoded


def _ring() -> None:
    if _resting.is_set():
        _resting.clear()
        _bell.release()


def _commit_for_ever() -> None:
    committed = 0
    while True:
        _bell.acquire()
        while _queue:
            if committed >= BUSY_FROM:
                _let_more_come()
            with _turn:
                committed = _commit_waiting()
        _resting.set()
        if _queue:  # it came between the look and the rest
            _ring()


def _let_more_come() -> None:
    """Wait while more come, for a moment: who was just answered sends again, and a batch costs what twenty messages do."""
    until, seen = time.monotonic() + GATHER_S, 0
    while seen < len(_queue) < limits.DRAIN_BATCH and time.monotonic() < until:
        seen = len(_queue)
        time.sleep(GATHER_STEP_S)


def settle_own() -> None:
    """Write what this process has accepted and not seen committed straight into the database; raises Unavailable."""
    with _turn:
        _settle_own()
    telling.finish()


def _commit_waiting() -> int:
    """Commit those who wait, together; gives how many these were."""
    batch = _take()
    refusal: DomainError = Unavailable()
    outcome: Outcome | None = None
    try:
        held = _settle_own()
        free = [t.submission for t in batch if t.submission.event["conversationId"] not in held]
        outcome = apply_what_is_free(free)
    except DomainError as error:
        refusal = error
    except Exception:
        log.exception("a batch of direct writes failed")
    finally:  # nobody waits for ever, whatever ended this
        if outcome is None:
            _refuse(batch, refusal)
        else:
            _tell(batch, outcome)
    if outcome is not None:
        remembering.committed_past_the_log(event["id"] for event in outcome.created)
        telling.tell(outcome)
    return len(batch)


def _take() -> list[Ticket]:
    """Take what waits, each message once: a second try of one, perhaps elsewhere, is judged after the first is committed."""
    taken: dict[str, Ticket] = {}
    later: list[Ticket] = []
    while _queue and len(taken) < limits.DRAIN_BATCH:
        ticket = _queue.popleft()
        first = taken.setdefault(ticket.submission.event["id"], ticket)
        if first is not ticket:
            later.append(ticket)
    _queue.extendleft(reversed(later))
    return list(taken.values())


def _settle_own() -> set[str]:
    """Write what this process has accepted; gives the conversations where that could not be, so that nothing overtakes it."""
    waiting = unsettled.all_waiting()
    held: set[str] = set()
    for start in range(0, len(waiting), limits.DRAIN_BATCH):
        own = [each for each in waiting[start : start + limits.DRAIN_BATCH] if each.event["conversationId"] not in held]
        _own_is_written(apply_what_is_free([Submission(each.event, after=each.after) for each in own]), held)
    return held


def _own_is_written(outcome: Outcome, held: set[str]) -> None:
    """Note and tell what was accepted here and is committed past the log, whose filter may have been lost with the rest."""
    for event in [*outcome.created, *outcome.already, *outcome.buried]:
        unsettled.settled(event["id"])
    remembering.committed_past_the_log(event["id"] for event in outcome.created)
    telling.tell(outcome)
    failures.buried(outcome.buried)
    held |= outcome.held


def write_again(events: list[MessageEvent]) -> None:
    """Write accepted messages that the log no longer holds (it was lost) straight into the database."""
    with _turn:
        _own_is_written(apply([Submission(event) for event in events[: limits.DRAIN_BATCH]]), set())
    telling.finish()


def _tell(batch: list[Ticket], outcome: Outcome) -> None:
    created = {event["id"]: (event, text) for event, text in zip(outcome.created, outcome.encoded, strict=True)}
    already = {event["id"]: event for event in outcome.already}
    for ticket in batch:
        wanted = ticket.submission.event["id"]
        ticket.refusal = outcome.refused.get(wanted)
        ticket.is_new = wanted in created
        ticket.final, ticket.encoded = created.get(wanted) or (already.get(wanted), None)
        ticket.close()


def _refuse(batch: list[Ticket], error: DomainError) -> None:
    for ticket in batch:
        ticket.refusal = error
        ticket.close()
