"""The index of all background work that something here asks for: ``x_later`` has a worker do ``x``."""

from __future__ import annotations

from app.extensions import celery


def answer_later(word: str) -> None:
    """Have a worker say that it has read a word; raises what the broker raises."""
    celery.send_task("operations.answer", [word], expires=30, retry=False)
