"""The scheduled jobs."""

from __future__ import annotations

from celery import Celery

from app.domain import (
    delivery,
    drain,
    failures,
    healing,
    operations,
    presence,
    retention,
    search,
    sessions,
    support,
    typing,
    uploads,
)
from app.kernel import clock
from app.kernel.breaker import Down
from app.kernel.errors import DomainError


def register(celery: Celery) -> None:
    """Put the jobs on Celery, by name."""
    celery.task(name="persistence.drain", autoretry_for=(), ignore_result=True)(persist)
    celery.task(name="conversations.heal", ignore_result=True)(heal)
    celery.task(name="typing.clean_up", ignore_result=True)(clean_up_typing)
    celery.task(name="presence.flush", ignore_result=True)(flush_presence)
    celery.task(name="delivery.fail_gone", ignore_result=True)(fail_gone)
    celery.task(name="delivery.forget_marks", ignore_result=True)(forget_marks)
    celery.task(name="search.take_up", ignore_result=True)(take_up)
    celery.task(name="search.take_up_all", ignore_result=True)(take_up_all)
    celery.task(name="support.join_staff", ignore_result=True)(join_staff)
    celery.task(name="uploads.clean_up", ignore_result=True)(clean_up_uploads)
    celery.task(name="sessions.clean_up", ignore_result=True)(clean_up_sessions)
    celery.task(name="retention.purge", ignore_result=True)(purge)
    celery.task(name="retention.clean_up", ignore_result=True)(clean_up_retention)
    celery.task(name="operations.tick", ignore_result=True)(tick)
    celery.task(name="operations.answer", ignore_result=True)(answer)


def persist() -> None:
    """Drain what the continuous drainer has left lying: the safety net."""
    try:
        drain.drain_all(at_most_s=4)
    except (Down, DomainError):
        pass  # five seconds later it is tried again


def heal() -> None:
    """Mend heads where no drainer does."""
    try:
        healing.heal_once()
    except DomainError:
        pass


def clean_up_typing() -> None:
    """Say the stop of typing indicators whose web process died."""
    try:
        typing.clean_up(now=clock.now())
    except Down:
        pass  # clients expire them by themselves


def flush_presence() -> None:
    """Write who was seen when into the database."""
    try:
        presence.flush_seen()
    except (Down, DomainError):
        pass  # a minute later it is tried again


def fail_gone() -> None:
    """Tell those who wrote to somebody whose account has ended."""
    failures.fail_gone(now=clock.now())


def forget_marks() -> None:
    """Delete the times at which messages were received long ago."""
    delivery.forget_marks(now=clock.now())


def clean_up_sessions() -> None:
    """Delete sessions that ended long ago."""
    sessions.clean_up(now=clock.now())


def join_staff() -> None:
    """Put staff into the support conversations that they are not in."""
    try:
        support.join_staff(now=clock.now())
    except DomainError:
        pass  # a minute later it is tried again


def purge() -> None:
    """Forget for good what messages said that were deleted long ago."""
    retention.purge(now=clock.now())


def clean_up_retention() -> None:
    """Delete ended portal tokens and old failures."""
    retention.clean_up(now=clock.now())


def clean_up_uploads() -> None:
    """Take away the files that no message wanted, and those of deleted messages."""
    uploads.clean_up(now=clock.now())


def tick() -> None:
    """Note that beat's jobs are run."""
    operations.tick()


def answer(word: str) -> None:
    """Say that this worker reads what it is sent."""
    operations.answer(word)


def take_up() -> None:
    """Have what changed lately found by searches."""
    try:
        search.take_up(now=clock.now())
    except DomainError:
        pass  # five seconds later it is tried again, and a search does it for itself


def take_up_all() -> None:
    """Have all that changed at any time found by searches: what was there before there was a search, too."""
    try:
        search.take_up(now=clock.now(), all_of_them=True)
    except DomainError:
        pass
