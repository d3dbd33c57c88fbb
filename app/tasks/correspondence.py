"""The scheduled jobs around e-mail."""

from __future__ import annotations

from celery import Celery

from app.domain import digests, letters, mailing, resets
from app.kernel import clock
from app.kernel.breaker import Down
from app.kernel.errors import Unavailable


def register(celery: Celery) -> None:
    """Put the jobs on Celery, by name."""
    celery.task(name="digests.plan", ignore_result=True)(plan_digests)
    celery.task(name="letters.send", ignore_result=True)(send_letters)
    celery.task(name="letters.clean_up", ignore_result=True)(clean_up)


def plan_digests() -> None:
    """Owe a letter to those who were away for a while and missed something."""
    try:
        digests.plan(now=clock.now())
    except (Down, Unavailable):
        pass  # a minute later it is tried again


def send_letters() -> None:
    """Send the letters that wait."""
    try:
        mailing.send_due(now=clock.now())
    except Unavailable:
        pass  # ten seconds later it is tried again


def clean_up() -> None:
    """Delete old letters and password resets."""
    now = clock.now()
    letters.clean_up(now=now)
    resets.clean_up(now=now)
