"""Sending the letters that wait: each composed at the last moment, claimed, handed over, and noted."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain import digests, letters, resets
from app.domain.letters import Waiting
from app.kernel.actor import SYSTEM
from app.models import transaction
from app.outbound import mail

log = logging.getLogger(__name__)
AT_ONCE = 200
_turn = threading.Lock()


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of letter asks for.

    ``compose`` gives the mail, or None where there is nothing more to say. ``twice_is_harmless`` says what to do where
    nobody knows whether the server took it: send it again, or leave it.
    """

    compose: Callable[[Waiting, datetime], mail.Mail | None]
    given_up_after: timedelta
    twice_is_harmless: bool
    on_failed: Callable[[Waiting, datetime], None] = lambda *_: None


KINDS = {
    "digest": Kind(digests.compose, digests.GIVEN_UP_AFTER, twice_is_harmless=False, on_failed=digests.on_failed),
    "reset": Kind(resets.compose, resets.LIFETIME, twice_is_harmless=True),
}


def send_due(*, now: datetime, at_most_s: float = 30) -> int:
    """Send what is due, for so long; gives how many. Safe to run twice: one thread of a process sends at a time."""
    if not _turn.acquire(blocking=False):
        return 0
    try:
        return _send_due(now, time.monotonic() + at_most_s)
    finally:
        _turn.release()


def _send_due(now: datetime, deadline: float) -> int:
    for letter in letters.abandoned(now=now):
        _unsure(letter, "the worker ended while it handed this over", now)
    sent = 0
    with mail.post() as post:
        for letter in letters.due(now=now, limit=AT_ONCE):
            if time.monotonic() > deadline:
                break
            try:
                sent += _send(post, letter, now)
            except mail.Away as away:
                _keep_waiting(letter, str(away), now)
                break
    return sent


def _send(post: mail.Post, letter: Waiting, now: datetime) -> bool:
    try:
        composed = KINDS[letter.kind].compose(letter, now)
    except Exception:  # one letter that cannot be written does not stop the others
        log.exception("a letter could not be written: %s", letter.key)
        letters.retry(letter, reason="it could not be written", now=now)
        return False
    if composed is None:
        _end(letter, "dropped", now, "there was nothing more to say")
        return False
    post.open()
    if not letters.claim(letter, now=now):
        return False
    try:
        post.send(composed)
    except mail.Undelivered as error:
        _undelivered(letter, error, now)
        return False
    _end(letter, "sent", now)
    return True


def _undelivered(letter: Waiting, error: mail.Undelivered, now: datetime) -> None:
    if error.unsure:
        _unsure(letter, error.reason, now)
    elif error.permanent:
        _end(letter, "failed", now, error.reason)
    else:
        _try_again(letter, error.reason, now)


def _unsure(letter: Waiting, reason: str, now: datetime) -> None:
    if KINDS[letter.kind].twice_is_harmless:
        _try_again(letter, reason, now)
    else:
        _end(letter, "unsure", now, reason)


def _try_again(letter: Waiting, reason: str, now: datetime) -> None:
    if now - letter.created_at >= KINDS[letter.kind].given_up_after:
        _end(letter, "failed", now, f"given up: {reason}")
    else:
        letters.retry(letter, reason=reason, now=now)


def _keep_waiting(letter: Waiting, reason: str, now: datetime) -> None:
    """The server is away, which says nothing of this letter; but what has waited too long is old news."""
    if now - letter.created_at >= KINDS[letter.kind].given_up_after:
        _end(letter, "failed", now, f"the mail server is away: {reason}")


def _end(letter: Waiting, state: str, now: datetime, reason: str | None = None) -> None:
    if state == "failed":
        KINDS[letter.kind].on_failed(letter, now)  # first, for it may be done again
    with transaction(SYSTEM) as tx:
        is_new = letters.end(tx, letter, state=state, now=now, reason=reason)
    if is_new and state in ("failed", "unsure"):
        log.warning("a letter is %s: %s: %s", state, letter.key, reason)
