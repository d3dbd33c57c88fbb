"""Catching up: what a client missed, from any position, and what it says it has received."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text

from app.domain import messages, missed
from app.domain.access import Member, member_of
from app.domain.failures import recipient_type
from app.kernel import clock, json, limits
from app.kernel.actor import SYSTEM, Actor
from app.kernel.breaker import Down
from app.kernel.errors import Invalid, NotFound
from app.kernel.events import DeliveryStatusEvent, MessageEvent, Missed, Position
from app.live import hot, membership
from app.models import Transaction, transaction
from app.outbound import emits, metrics
from app.queries import conversations as conversation_views, messages as views

RECEIPTS_TOLD_TO_ALL = 100  # members
MARKS_KEPT_DAYS = 90
RECEIVE = text(
    "UPDATE memberships m SET received_seq = :seq FROM (SELECT received_seq FROM memberships WHERE conversation_id = :c"
    " AND profile_id = :me FOR NO KEY UPDATE) AS held WHERE m.conversation_id = :c AND m.profile_id = :me"
    " AND held.received_seq < :seq RETURNING held.received_seq AS before"
)
MARK = text(
    "INSERT INTO received_marks (conversation_id, profile_id, from_seq, up_to_seq, received_at)"
    " VALUES (:c, :me, :before, :seq, :now) ON CONFLICT DO NOTHING"
)
FORGET_MARKS = text(
    "DELETE FROM received_marks WHERE ctid = ANY(ARRAY(SELECT ctid FROM received_marks WHERE received_at < :before"
    " LIMIT 5000))"
)
SENDERS = text(
    "SELECT DISTINCT sender_id FROM (SELECT sender_id FROM messages WHERE conversation_id = :c AND seq > :after"
    " AND seq <= :seq ORDER BY seq DESC LIMIT 1000) m WHERE sender_id <> :me LIMIT 100"
)


@dataclass(frozen=True, slots=True)
class KnownMember:
    """A membership that the caller knows to stand (a socket that is in the conversation's room)."""

    history_from_seq: int


def catch_up(
    actor: Actor,
    *,
    conversation_id: UUID,
    after: int | None,
    limit: int = limits.PAGE_MAX,
    known: KnownMember | None = None,
    encoded: bool = False,
) -> Missed:
    """Give what was created or changed after ``after`` (without it: after what the actor last received).

    At the head Redis alone answers, after a short absence the hot history, else PostgreSQL. Reading forgets nothing.
    ``encoded`` says that the caller only sends it on: what the hot history has comes as it is kept, ready for the wire.
    """
    began = time.perf_counter()
    if known is not None:
        recent = _recent(actor, conversation_id, after, limit, known, encoded=encoded)
        if recent is not None:
            metrics.missed("cache", time.perf_counter() - began)
            return recent
    found = missed.read(actor, conversation_id, after=after, limit=limit, is_member=known is not None)
    standing, part = found.standing, found.part
    metrics.missed("database", time.perf_counter() - began)
    events = list(map(json.ready if encoded else json.loads, part.encoded))
    return _missed(conversation_id, events, standing.received, standing.latest, part.up_to, part.more)


def known_member(actor: Actor, conversation_id: UUID) -> KnownMember | None:
    """Find a membership in the cache beside the log, or read it and keep it there; None where that cannot be asked.

    Raises NotFound where there is no such membership, and Unavailable.
    """
    try:
        held = membership.history_from_seq(conversation_id, actor.id)
        if held is not None:
            return KnownMember(held)
        token = membership.begin_load(conversation_id)
        with transaction(actor) as tx:
            found = member_of(tx, actor, conversation_id).history_from_seq
        membership.finish_load(conversation_id, actor.id, token, history_from_seq=found)
    except Down:
        return None
    return KnownMember(found)


def _recent(
    actor: Actor, conversation_id: UUID, after: int | None, limit: int, known: KnownMember, *, encoded: bool
) -> Missed | None:
    try:
        start = after
        if start is None:
            held = hot.last_received(actor.id, conversation_id)
            if held is None:
                return None
            start = held[1]
        found = hot.catch_up(conversation_id, start, actor.id)
    except Down:
        return None
    if found is None or start > found.head:
        return None
    kept = [event for event in found.events if event.seq > known.history_from_seq]
    if len(kept) > limit:
        return None
    received = found.received
    if received is None:  # asked for, it is a chance to see whether the cache is up to date and the membership stands
        stand = missed.standing(actor.id, conversation_id)
        if stand is None or stand.head_seq > found.head:
            return None
        received = stand.received
    got, latest = (
        place if place is not None and place[1] > known.history_from_seq else None for place in (received, found.latest)
    )
    events = [(json.ready if encoded else json.loads)(e.encoded) for e in kept]
    return _missed(conversation_id, events, got, latest, found.head, more=False)


def _missed(
    conversation_id: UUID, events: list[Any], received: tuple[str, int] | None, latest: tuple[str, int] | None,
    up_to: int, more: bool,
) -> Missed:  # fmt: skip
    return {
        "status": "missed" if events else "caught_up",
        "conversationId": str(conversation_id),
        "messages": events,
        "lastReceived": _position(received),
        "latest": _position(latest),
        "upToSeq": up_to,
        "hasMore": more,
    }


def _position(place: tuple[str, int] | None) -> Position:
    return {"messageId": place[0], "seq": place[1]} if place else {"messageId": None, "seq": None}


def received(
    actor: Actor, *, conversation_id: UUID, now: datetime, message_id: UUID | None = None, seq: int | None = None
) -> int:
    """Advance one's received position, never back and at most to the head; gives where it stands.

    Those who wrote what has come are told, with the time, and so are the subscribers of a small conversation's receipts.
    """
    if message_id is not None:
        messages.wait_until_committed(message_id)
    with transaction(actor) as tx:
        member = member_of(tx, actor, conversation_id)
        wanted = seq if seq is not None else _seq_of(views.one(tx, message_id) if message_id else None, conversation_id)
        reached = min(wanted, member.head_seq)
        before = arrived(tx, member, reached, now)
        held = max(member.received_seq, reached)
        _, place, _ = views.places(tx, conversation_id, held)
        if before is not None and place is not None:
            tell_senders(tx, actor, member, place, after=before, status="delivered", delivered_at=now)
        tx.after_commit(lambda: note_received(actor.id, conversation_id, place))
    if before is not None:
        metrics.received(conversation_id, held)
    return held


def arrived(tx: Transaction, member: Member, seq: int, now: datetime) -> int | None:
    """Advance a member's received position and keep when; gives where it stood, or None where that is no advance."""
    if seq <= member.received_seq:
        return None
    values = {"c": member.conversation_id, "me": member.profile_id, "seq": seq}
    before: int | None = tx.execute(RECEIVE, values).scalar_one_or_none()
    if before is not None:
        tx.change(MARK, {**values, "before": before, "now": now})
    return before


def tell_senders(
    tx: Transaction, actor: Actor, member: Member, place: tuple[str, int], *, after: int,
    status: Literal["delivered", "read"], delivered_at: datetime | None, read_at: datetime | None = None,
) -> None:  # fmt: skip
    """Have those who wrote what lies after a position told, once this commits, what became of it with this actor.

    In a large conversation they alone hear it: everybody's every mark told to everybody would be a flood.
    """
    message_id, seq = place
    values = {"c": member.conversation_id, "me": actor.id, "after": after, "seq": seq}
    rooms = [f"user:{row.sender_id}" for row in tx.execute(SENDERS, values)]
    if not rooms:
        return
    if member.member_count <= RECEIPTS_TOLD_TO_ALL:
        rooms.append(f"receipts:{member.conversation_id}")
    event: DeliveryStatusEvent = {
        "messageId": message_id,
        "conversationId": str(member.conversation_id),
        "recipientType": recipient_type(actor.kind, is_support=member.kind == "support"),
        "recipientId": str(actor.id),
        "status": status,
        "deliveredAt": clock.wire(delivered_at) if delivered_at else None,
        "readAt": clock.wire(read_at) if read_at else None,
        "failedReason": None,
        "upToSeq": seq,
    }
    tx.after_commit(lambda: emits.delivery(event, rooms))


def forget_marks(*, now: datetime) -> int:
    """Delete marks of what was received long ago; gives how many (a job: safe to run twice). That it came stays known."""
    deleted, step = 0, 1
    while step:
        with transaction(SYSTEM) as tx:
            step = tx.change(FORGET_MARKS, {"before": now - timedelta(days=MARKS_KEPT_DAYS)})
        deleted += step
    return deleted


def _seq_of(event: MessageEvent | None, conversation_id: UUID) -> int:
    if event is None:
        raise NotFound("The message")
    if event["conversationId"] != str(conversation_id):
        raise Invalid({"messageId": ["names a message of another conversation"]})
    return event["seq"] or 0


def note_received(profile_id: UUID, conversation_id: UUID, place: tuple[str, int] | None) -> None:
    """Tell the cache, once the database has it, which message (id, seq) someone's received position stands at."""
    if place is not None:
        missed.note_received({(profile_id, conversation_id): place})


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one of an actor's conversations stands at connect."""

    conversation_id: UUID
    kind: str
    history_from_seq: int
    head_seq: int
    version: int
    received_seq: int
    read_seq: int

    @classmethod
    def of(cls, row: Any) -> Standing:
        """Make one of a row."""
        return cls(row.id, row.kind, row.history_from_seq, row.head_seq, row.version, row.received_seq, row.read_seq)

    def wire(self) -> dict[str, Any]:
        """Give the entry of ``ready``."""
        return {
            "id": str(self.conversation_id),
            "headSeq": self.head_seq,
            "version": self.version,
            "receivedSeq": self.received_seq,
            "readSeq": self.read_seq,
        }


def standings(actor: Actor) -> list[Standing]:
    """Read where all of an actor's conversations stand, newest activity first: one query."""
    with transaction(actor) as tx:
        return [Standing.of(row) for row in conversation_views.heads(tx)]
