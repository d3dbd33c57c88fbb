"""Digests: a letter to someone who was away for a while and missed something, never twice of the same message.

How far someone was told is ``memberships.notified_seq``. It is moved in the transaction that owes the letter, under the rows'
locks; the letter holds the ranges of positions that it moved over, which no other letter will hold. What stands in them is
read when the letter is sent, as that person: what they may read, have not read and nobody has deleted by then.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain import digest_words, failures, letters, notifications, presence
from app.domain.letters import Waiting
from app.kernel.actor import SYSTEM, Actor
from app.models import transaction
from app.outbound.mail import Mail
from app.queries import digests as views

HORIZON = timedelta(days=3)  # what is older is no news; longer than the longest delay and pause together
GIVEN_UP_AFTER = timedelta(days=1)
CHUNK = 100
FAILED = "Their mail server did not take the notification."
CLAIM = text(
    "WITH behind AS (SELECT me.conversation_id, GREATEST(me.read_seq, me.notified_seq) AS after, c.head_seq"
    "  FROM memberships me JOIN conversations c ON c.id = me.conversation_id WHERE me.profile_id = :me"
    "  AND me.left_at IS NULL AND NOT me.muted AND me.notifications <> 'none' AND c.deleted_at IS NULL"
    "  AND c.updated_at > :since AND c.head_seq > GREATEST(me.read_seq, me.notified_seq)"
    "  ORDER BY me.conversation_id FOR NO KEY UPDATE OF me),"
    " moved AS (UPDATE memberships m SET notified_seq = behind.head_seq FROM behind"
    "  WHERE m.conversation_id = behind.conversation_id AND m.profile_id = :me)"
    " SELECT * FROM behind"
)
# A second planner waits here for the first one's commit, and then finds its letter.
ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('digest:' || CAST(:me AS text), 0))")


def plan(*, now: datetime, at_most_s: float = 20) -> int:
    """Owe a digest to everybody who is due one; gives how many. Raises Down where nobody knows who is here."""
    presence.flush_seen()
    deadline, after, owed = time.monotonic() + at_most_s, UUID(int=0), 0
    while time.monotonic() < deadline:
        with transaction(SYSTEM) as tx:
            conversations = views.active(tx, since=now - HORIZON, after=after, limit=CHUNK)
            candidates = views.due(tx, conversations, **_rules(now)) if conversations else []
        if not conversations:
            break
        after = conversations[-1]
        for one in _absent(candidates, now):
            owed += _owe(one.id, now)
            if time.monotonic() >= deadline:  # the next run finds the rest: who is owed a letter is no candidate
                break
    return owed


def _rules(now: datetime) -> dict[str, Any]:
    return {
        "now": now, "since": now - HORIZON, "email": notifications.EMAIL, "delay": notifications.DELAY_MINUTES,
    }  # fmt: skip


def _absent(candidates: Sequence[Any], now: datetime) -> list[Any]:
    """Leave out who is here now, or was since the database was told."""
    here, seen_at = presence.lately([one.id for one in candidates])
    return [one for one in candidates if one.id not in here and seen_at.get(one.id, one.seen_at) + one.delay <= now]


def _owe(profile_id: UUID, now: datetime) -> bool:
    with transaction(SYSTEM) as tx:
        tx.execute(ALONE, {"me": profile_id})
        if not views.is_due(tx, profile_id, **_rules(now)):
            return False
        claimed = tx.execute(CLAIM, {"me": profile_id, "since": now - HORIZON}).all()
        ranges = {str(row.conversation_id): [row.after, row.head_seq] for row in claimed}
        chosen = notifications.read(tx, profile_id)
        if not views.missed(tx, profile_id, ranges, email=chosen["email"]):
            return False  # own messages, deleted ones, edits: they are passed over for good
        letters.write(tx, kind="digest", profile_id=profile_id, subject={"ranges": ranges}, now=now)
    return True


def compose(letter: Waiting, now: datetime) -> Mail | None:
    """Write the letter: what is still unread, still there and still theirs to read; none where that is nothing.

    Raises Down where nobody knows whether they are here by now.
    """
    here, _ = presence.lately([letter.profile_id])
    if here:
        return None
    with transaction(SYSTEM) as tx:
        person = views.person(tx, letter.profile_id)
    if person is None or person.address is None:
        return None
    missed = _missed(letter, person.kind)
    return digest_words.write(letter, person, missed, now=now) if missed else None


def _missed(letter: Waiting, kind: Any) -> list[Any]:
    with transaction(Actor(id=letter.profile_id, kind=kind)) as tx:  # row security is asked too
        chosen = notifications.read(tx, letter.profile_id)
        if chosen["email"] == "off":
            return []
        return views.missed(tx, letter.profile_id, letter.subject["ranges"], email=chosen["email"])


def on_failed(letter: Waiting, now: datetime) -> None:
    """Tell the senders that the notification of their messages did not arrive."""
    with transaction(SYSTEM) as tx:
        person = views.person(tx, letter.profile_id)
    message_ids = [row.id for row in _missed(letter, person.kind)] if person else []
    if message_ids:
        failures.failed(recipient_id=letter.profile_id, message_ids=message_ids, path="mail", reason=FAILED, now=now)
