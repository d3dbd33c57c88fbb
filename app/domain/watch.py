"""What every web process does beside answering: the stall guard, and the take-over when nobody drains."""

from __future__ import annotations

import logging
import threading
import time
from uuid import UUID

from app.domain import announce, drain, groupcommit, healing, modes, unsettled
from app.domain.batches import Outcome
from app.extensions import LOG
from app.kernel import limits
from app.kernel.actor import SYSTEM
from app.kernel.breaker import Down
from app.kernel.errors import DomainError
from app.kernel.events import MessageEvent
from app.kernel.settings import settings
from app.live import drainers, log as message_log, membership
from app.models import transaction
from app.outbound import emits
from app.queries import messages as views

log = logging.getLogger(__name__)
LOOK_EVERY_S = 0.05
RECHECK_AFTER_S = 1.5
AT_ONCE = limits.DRAIN_BATCH  # sends that are looked after together
TAKE_OVER_AFTER_S = 2.0
TAKE_OVER_LOOK_S = 0.25


def guard_stalls(stopping: threading.Event) -> None:
    """Show a provisional copy of what the database is slow to take. It never asks the database itself."""
    while not stopping.is_set():
        try:
            for waiting in unsettled.overdue(settings().stall_guard_ms / 1000):
                if not waiting.shown and unsettled.waits(waiting.event["id"]):
                    waiting.shown = True
                    emits.provisional(waiting.event)
        except Exception:
            log.exception("the stall guard failed; it goes on")
        stopping.wait(LOOK_EVERY_S)


def look_after(stopping: threading.Event) -> None:
    """Find out what became of sends of which no final was heard."""
    while not stopping.is_set():
        stopping.wait(RECHECK_AFTER_S)
        try:
            while not stopping.is_set() and _recheck():
                pass  # a log that was lost may have held more than one batch
        except Exception:
            log.exception("looking after accepted messages failed; it goes on")


def _recheck() -> bool:
    """Find out in the database what became of sends whose final was never heard here; write them where the log is away.

    Tells whether it wrote some that the log had lost: then there may be more.
    """
    old = sorted((waiting.event for waiting in unsettled.overdue(RECHECK_AFTER_S)), key=_sent_at)[:AT_ONCE]
    if not old:
        return False
    try:
        if LOG.has_failed:
            groupcommit.settle_own()
            return False
        with transaction(SYSTEM) as tx:
            committed = views.by_ids(tx, [event["id"] for event in old])
        for event in committed:
            unsettled.settled(event["id"])
        announce.repeated(Outcome(already=committed))
        known = {one["id"] for one in committed}
        lost = _still_absent([event for event in old if event["id"] not in known and _is_lost(event)])
        if lost:
            log.error("the message log lost %d accepted messages; they are written from memory", len(lost))
            groupcommit.write_again(lost)
        return bool(lost)
    except (Down, DomainError):
        return False  # the copies shown stay provisional; the next turn looks again


def _sent_at(event: MessageEvent) -> str:
    """What was acked at its second try is noted late, and comes before what its sender sent meanwhile."""
    return event["createdAt"]


def _still_absent(events: list[MessageEvent]) -> list[MessageEvent]:
    """Leave out what was committed, and taken out of the log, between the look at the database and the one at the log."""
    if not events:
        return []
    with transaction(SYSTEM) as tx:
        known = {event["id"] for event in views.by_ids(tx, [event["id"] for event in events])}
    return [event for event in events if event["id"] not in known]


def _is_lost(event: MessageEvent) -> bool:
    return message_log.pending(UUID(event["id"])) is None


def is_alone() -> bool:
    """Tell whether no drainer shows life; raises Down."""
    return not drainers.is_any_alive()


def take_over(stopping: threading.Event) -> None:
    """Drain and heal in this process while no drainer shows life (a killed worker costs two seconds)."""
    alone = False
    asked_at = healed_at = time.monotonic()
    while not stopping.wait(0 if alone else TAKE_OVER_LOOK_S):
        try:
            membership.retry_evictions()
            alone, asked_at = is_alone(), time.monotonic()
        except (Down, DomainError):
            alone = False
        if alone or time.monotonic() - asked_at > TAKE_OVER_AFTER_S:  # without the log, heads are healed all the same
            healed_at = _stand_in(healed_at, stopping)


def _stand_in(healed_at: float, stopping: threading.Event) -> float:
    """Drain, then heal: one being impossible just now is no reason to leave the other."""
    try:
        if modes.is_behind() or settings().message_log_redis_url:
            _drain_for(TAKE_OVER_LOOK_S, stopping)
    except (Down, DomainError) as error:
        log.debug("standing in for the drainer waits: %s", error)
    except Exception:
        log.exception("standing in for the drainer failed; it goes on")
    if time.monotonic() - healed_at <= limits.HEADS_EVERY_S:
        return healed_at
    healing.heal_safely()
    return time.monotonic()


def _drain_for(seconds: float, stopping: threading.Event) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stopping.is_set():
        if drain.take_turns(stopping) == 0:
            stopping.wait(0.02)
