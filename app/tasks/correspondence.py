"""The scheduled jobs around e-mail."""

from __future__ import annotations

from celery import Celery

from app.domain import letters, mailing, resets
from app.kernel import clock
from app.kernel.errors import Unavailable


def register(celery: Celery) -> None:
    """Put the jobs on Celery, by name."""
    celery.task(name="letters.send", ignore_result=True)(send_letters)
    celery.task(name="letters.clean_up", ignore_result=True)(clean_up)


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
