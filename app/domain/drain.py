"""The drain: what the log holds goes into the database, then everybody hears, then exactly that leaves the log.

It can run twice, in two processes, stop anywhere, or be fed an old copy of the log: the result is the same. Where the log has
several shards, drainers share them: no two work on one conversation.
"""

from __future__ import annotations

import logging
import threading
import time

from app.domain import announce, failures, unsettled
from app.domain.batches import Submission
from app.domain.commit import apply_what_is_free, end_silent_holder
from app.domain.dead_letters import bury_broken
from app.domain.gate import Busy
from app.kernel.breaker import Down
from app.kernel.errors import DomainError
from app.kernel.limits import DRAIN_BATCH, SILENT_DRAINER_S
from app.live import drainers, log, shards
from app.live.log import Broken, Entry

logger = logging.getLogger(__name__)
HELD_PAUSE_S = 1.0
WARN_EVERY_S = 30.0
GATHER_FROM = 32  # entries; after a batch of more the next one is let grow: each batch costs what twenty messages do
GATHER_S = 0.04  # from the beginning of one batch to that of the next


def drain_once(shard: int = 0) -> int:
    """Move one batch of a shard; gives how many entries it took. Raises Busy, Down or Unavailable, and then nothing is lost."""
    _settle([])
    entries, broken = log.read(leaving=_held_now(), shard=shard)
    if broken:
        _set_aside(broken)
    if not entries:
        return len(broken)
    outcome = apply_what_is_free([Submission(entry.event) for entry in entries], alone=True, shard=shard)
    _held.update(dict.fromkeys(outcome.held, time.monotonic() + HELD_PAUSE_S))
    entries = [entry for entry in entries if entry.event["conversationId"] not in outcome.held]
    announce.created(outcome)
    announce.repeated(outcome)
    for event in outcome.buried:
        logger.error("message %s was refused by the database and is kept in dead_letters", event["id"])
    failures.buried(outcome.buried)
    _settle(entries)
    return len(entries) + len(broken)


def _set_aside(broken: list[Broken]) -> None:
    """Keep for the operator what is no message at all: one damaged entry must not hold up all that comes after it."""
    bury_broken([(entry.place, entry.text) for entry in broken])
    for entry in broken:
        logger.error("entry %s of the log is no message and is kept in dead_letters", entry.place)
    log.discard(broken)


def _held_now() -> set[str]:
    """The conversations of which somebody held a row a moment ago."""
    now = time.monotonic()
    for conversation_id in [one for one, until in _held.items() if until <= now]:
        del _held[conversation_id]
    return set(_held)


def _settle(entries: list[Entry]) -> None:
    """Take what is committed out of the log; what a log that refused it has kept goes first, and is not committed again."""
    for entry in entries:
        unsettled.settled(entry.event["id"])
    with _settling:  # the safety net may drain beside the one who always does
        _unsettled.extend(entries)
        if _unsettled:
            log.settle(_unsettled)
            _unsettled.clear()


def drain_all(*, at_most_s: float = 30) -> int:
    """Drain until the log is empty or the time is over; gives the number of entries moved."""
    deadline, moved = time.monotonic() + at_most_s, 0
    for shard in shards.everyone():
        taken = 1
        while taken and time.monotonic() < deadline:
            try:
                taken = drain_once(shard)
            except Busy:
                break  # the one who drains goes on
            moved += taken
    return moved


def run(stopping: threading.Event) -> None:
    """Drain continuously until told to stop; failures are waited out, half a second at a time, and told of now and then."""
    warned_at = float("-inf")
    while not stopping.is_set():
        try:
            own, began_at = shards.mine(), time.monotonic()
            taken = sum(take_turn(stopping, shard) for shard in own)
            drainers.alive()  # only now: one who cannot reach the database must not keep others from draining
            if not own:
                stopping.wait(0.5)
            elif taken == 0:
                log.wait(1.0, own)
            elif GATHER_FROM < taken < DRAIN_BATCH:  # a full one is followed by what has waited longest
                time.sleep(max(0.0, began_at + GATHER_S - time.monotonic()))
        except (Down, DomainError) as error:
            if time.monotonic() - warned_at > WARN_EVERY_S:
                warned_at = time.monotonic()
                logger.warning("the drain waits: %s", error)
            stopping.wait(0.5)
        except Exception:
            logger.exception("the drain failed; it goes on")
            stopping.wait(0.5)


def take_turns(stopping: threading.Event) -> int:
    """Drain one batch of each shard that is this process's to drain; gives how many entries that were, or 1 for a pause."""
    return sum(take_turn(stopping, shard) for shard in shards.mine())


def take_turn(stopping: threading.Event, shard: int = 0) -> int:
    """Drain one batch of a shard, or give another process that drains a moment (1 is given then: there may be more to do).

    One that holds the turn and does not end its transaction for two seconds is a stopped process, and loses it.
    """
    try:
        taken = drain_once(shard)
    except Busy:
        now = time.monotonic()
        _busy_since.setdefault(shard, now)
        if now - _busy_since[shard] > SILENT_DRAINER_S:
            del _busy_since[shard]
            end_silent_holder(shard)
        stopping.wait(0.05)
        return 1
    _busy_since.pop(shard, None)
    if not taken and _held:
        stopping.wait(0.1)  # the log is not empty, and there is nothing to do
    return taken


_busy_since: dict[int, float] = {}
_held: dict[str, float] = {}  # conversations of which somebody held a row, and until when they are left alone
_settling = threading.Lock()
_unsettled: list[Entry] = []  # committed, and the log could not be told yet
