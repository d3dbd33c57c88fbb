"""Reading: how far someone has read, what is unread, and the receipts derived from the marks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text

from app.domain import delivery, messages
from app.domain.access import Member, member_of
from app.kernel import clock, limits, pace
from app.kernel.actor import Actor
from app.kernel.errors import Invalid, NotFound, Unavailable
from app.kernel.events import ReadReceiptEvent
from app.models import Transaction, transaction
from app.outbound import emits
from app.queries import messages as views, unread as views_of_unread

log = logging.getLogger(__name__)
READ = text(
    "UPDATE memberships SET read_seq = :seq WHERE conversation_id = :c AND profile_id = :me AND read_seq < :seq"
)
UNREAD = text(
    "UPDATE memberships SET read_seq = GREATEST(:seq - 1, history_from_seq) WHERE conversation_id = :c"
    " AND profile_id = :me AND read_seq >= :seq"
)
BEFORE = text(
    "SELECT id, seq FROM messages WHERE conversation_id = :c AND seq > :after AND seq < :seq ORDER BY seq DESC LIMIT 1"
)
# After something was marked unread a later mark may stand before an earlier one; what was read first counts.
MARK = text(
    "INSERT INTO read_marks (conversation_id, profile_id, up_to_seq, read_at) SELECT :c, :me, :seq, :now WHERE NOT EXISTS"
    " (SELECT 1 FROM read_marks WHERE conversation_id = :c AND profile_id = :me AND up_to_seq >= :seq)"
    " ON CONFLICT DO NOTHING"
)
ARRIVED = text(
    "SELECT min(received_at) FROM received_marks WHERE conversation_id = :c AND profile_id = :me"
    " AND from_seq < :seq AND up_to_seq >= :seq"
)
NEWEST = text(
    "SELECT w.id FROM (SELECT id, seq, sender_id, deleted_at FROM messages WHERE conversation_id = :c ORDER BY seq DESC"
    " LIMIT 1000) w WHERE w.sender_id <> :me AND w.deleted_at IS NULL ORDER BY w.seq DESC LIMIT 1"
)
RECEIPTS = text(
    "SELECT p.id, p.kind, w.read_at, w.up_to_seq FROM memberships me JOIN profiles p ON p.id = me.profile_id,"
    " LATERAL (SELECT read_at, up_to_seq FROM read_marks r WHERE r.conversation_id = me.conversation_id"
    "   AND r.profile_id = me.profile_id AND r.up_to_seq >= :seq ORDER BY r.up_to_seq LIMIT 1) w"
    " WHERE me.conversation_id = :c AND me.history_from_seq < :seq AND p.id <> :sender ORDER BY w.read_at, p.id LIMIT 1000"
)


def mark_read(
    actor: Actor,
    *,
    now: datetime,
    message_ids: Sequence[UUID] = (),
    conversation_id: UUID | None = None,
    message_id: UUID | None = None,
) -> dict[str, Any]:
    """Advance one's read position up to the newest of these messages; gives ``{readSeq, unreadCount}``.

    Messages of several conversations may be named; the answer speaks of the last one's.
    """
    wanted = list(message_ids) or ([message_id] if message_id else [])
    messages.wait_until_committed(wanted[-1])
    answer: dict[str, Any] = {}
    with transaction(actor) as tx:
        if conversation_id is not None:
            member_of(tx, actor, conversation_id)
        found = views.by_ids(tx, wanted)
        if not found:
            raise NotFound("The message")
        if conversation_id is not None and found[0]["conversationId"] != str(conversation_id):
            raise Invalid({"messageId": ["names a message of another conversation"]})
        newest = {event["conversationId"]: event for event in sorted(found, key=lambda event: event["seq"] or 0)}
        for target, event in newest.items():
            answer = _advance(tx, actor, UUID(target), event["id"], event["seq"] or 0, now)
    return answer


def _advance(
    tx: Transaction, actor: Actor, conversation_id: UUID, message_id: str, seq: int, now: datetime
) -> dict[str, Any]:
    member = member_of(tx, actor, conversation_id)
    here = {"c": conversation_id, "me": actor.id, "seq": seq}
    moved = tx.change(READ, here)
    told = bool(moved) and _pace.take(actor.id)
    if moved:
        place = (message_id, seq)
        came = now if delivery.arrived(tx, member, seq, now) is not None else None
        if tx.change(MARK, {**here, "now": now}) and told:
            _tell(tx, actor, member, place, member.read_seq, came or tx.execute(ARRIVED, here).scalar_one(), now)
        if came:
            tx.after_commit(lambda: delivery.note_received(actor.id, conversation_id, place))
        if not told:
            tx.after_commit(lambda: _put_off(actor, conversation_id, place, member.read_seq, now))
    read_seq = max(seq, member.read_seq)
    answer = {"readSeq": read_seq, "unreadCount": _counted(tx, actor, conversation_id, read_seq, tell=told)}
    return answer if told or not moved else {**answer, "coalesced": True}


def _tell(
    tx: Transaction, actor: Actor, member: Member, place: tuple[str, int], after: int, came_at: datetime, now: datetime
) -> None:
    """Have everybody told, once this commits, that someone has read up to a place and had read up to a position before."""
    event = receipt(actor.kind, actor.id, member.conversation_id, place[0], place[1], now)
    tx.after_commit(lambda: emits.receipt(event))
    delivery.tell_senders(tx, actor, member, place, after=after, status="read", delivered_at=came_at, read_at=now)


# Marks beyond the rate stand like any other; only the telling waits, and the newest of a conversation is told for all.
@dataclass(frozen=True, slots=True)
class Untold:
    """A mark that nobody was told of yet, and the position from which they have not been."""

    actor: Actor
    place: tuple[str, int]
    after: int
    read_at: datetime


_untold: dict[tuple[UUID, UUID], Untold] = {}
_pace = pace.Pace(limits.READ_MARKS_PER_MINUTE / 60, limits.READ_MARKS_PER_MINUTE)


def _put_off(actor: Actor, conversation_id: UUID, place: tuple[str, int], after: int, now: datetime) -> None:
    key = (actor.id, conversation_id)
    earlier = _untold.get(key)
    if earlier is None or earlier.place[1] < place[1]:
        _untold[key] = Untold(actor, place, min(after, earlier.after) if earlier else after, now)


def run(stopping: threading.Event) -> None:
    """Tell of the marks that were put off, as soon as each reader's rate allows, until told to stop."""
    while not stopping.wait(limits.PRESENCE_LOOK_S):
        tell_untold()


def tell_untold(*, at_once: bool = False) -> None:
    """Tell of the marks that were put off and may be told by now, or of all."""
    for key, mark in list(_untold.items()):
        if not at_once and not _pace.take(key[0]):
            continue
        _untold.pop(key, None)
        try:
            _tell_late(mark, key[1])
        except NotFound:
            pass  # the reader has left the conversation
        except Unavailable:
            _untold.setdefault(key, mark)
        except Exception:
            log.exception("a read mark could not be told of")


def _tell_late(mark: Untold, conversation_id: UUID) -> None:
    with transaction(mark.actor) as tx:
        member = member_of(tx, mark.actor, conversation_id)
        here = {"c": conversation_id, "me": mark.actor.id, "seq": mark.place[1]}
        came_at = tx.execute(ARRIVED, here).scalar_one_or_none() or mark.read_at
        _tell(tx, mark.actor, member, mark.place, mark.after, came_at, mark.read_at)
        _counted(tx, mark.actor, conversation_id, member.read_seq, tell=True)


def _counted(
    tx: Transaction, actor: Actor, conversation_id: UUID, read_seq: int, *, tell: bool, is_set_back: bool = False
) -> int:
    """Count what is unread in a conversation; where the position moved, all of the actor's devices are told."""
    counts = views_of_unread.counts(tx, None if tell else conversation_id)
    count = counts.get(conversation_id, views_of_unread.Count())
    body = {
        "conversationId": str(conversation_id),
        "unreadCount": count.unread,
        "mentionCount": count.mentioned,
        "total": sum(each.unread for each in counts.values()),
        "readSeq": read_seq,  # else another device of mine counts from its own
        **({"isSetBack": True} if is_set_back else {}),  # else it takes this for news that came late
    }
    if tell:
        tx.after_commit(lambda: emits.unread(actor.room, body))
    return count.unread


def mark_unread(
    actor: Actor, *, conversation_id: UUID, now: datetime, message_id: UUID | None = None
) -> dict[str, Any]:
    """Set one's read position to just before a message, wherever it was: from there on all is unread, before it nothing.

    Without a message it goes back to before the newest that somebody else wrote. Gives ``{readSeq, unreadCount}``. Receipts
    stay: that it was read once is true.
    """
    if message_id is not None:
        messages.wait_until_committed(message_id)
    with transaction(actor) as tx:
        member = member_of(tx, actor, conversation_id)
        here = {"c": conversation_id, "me": actor.id}
        target = message_id or tx.execute(NEWEST, here).scalar_one_or_none()
        event = views.one(tx, target) if target else None
        if message_id is not None and event is None:
            raise NotFound("The message")
        if event is not None and event["conversationId"] != str(conversation_id):
            raise Invalid({"messageId": ["names a message of another conversation"]})
        seq = event["seq"] or 0 if event else member.head_seq + 1
        if message_id is not None:
            before = tx.execute(BEFORE, {**here, "after": member.read_seq, "seq": seq}).one_or_none()
            if before is not None:
                return _advance(tx, actor, conversation_id, str(before.id), before.seq, now)
        moved = tx.change(UNREAD, {**here, "seq": seq})
        read_seq = max(seq - 1, member.history_from_seq) if moved else member.read_seq
        count = _counted(tx, actor, conversation_id, read_seq, tell=bool(moved), is_set_back=True)
        return {"readSeq": read_seq, "unreadCount": count}


def receipt(
    kind: str, reader_id: UUID, conversation_id: UUID, message_id: str, seq: int, at: datetime
) -> ReadReceiptEvent:
    """Make the receipt that a read mark gives for a message."""
    return {
        "id": str(uuid5(reader_id, message_id)),
        "messageId": message_id,
        "conversationId": str(conversation_id),
        "readByUserId": str(reader_id) if kind != "customer" else None,
        "readByCustomerId": str(reader_id) if kind == "customer" else None,
        "readAt": clock.wire(at),
        "upToSeq": seq,
    }


def receipts(actor: Actor, *, message_id: UUID) -> list[ReadReceiptEvent]:
    """List who has read a message, each with the first time."""
    messages.wait_until_committed(message_id)
    with transaction(actor) as tx:
        event = messages.visible(tx, message_id)
        target = UUID(event["conversationId"])
        rows = tx.execute(RECEIPTS, {"c": target, "seq": event["seq"], "sender": event["senderId"]})
        return [receipt(r.kind, r.id, target, event["id"], r.up_to_seq, r.read_at) for r in rows]


def unread(actor: Actor, *, conversation_id: UUID | None) -> dict[str, Any]:
    """Count what is unread, in one conversation or in all: ``{count, byConversation}``."""
    with transaction(actor) as tx:
        if conversation_id is not None:
            member_of(tx, actor, conversation_id)
        counts = views_of_unread.counts(tx, conversation_id)
    shown = {one: count.unread for one, count in counts.items() if count.unread}
    return {"count": sum(shown.values()), "byConversation": {str(one): count for one, count in shown.items()}}


def recount(actor: Actor, *, conversation_id: UUID) -> dict[str, Any]:
    """Count what is unread in a conversation a second time, message by message, and show why it comes to that."""
    with transaction(actor, snapshot=True) as tx:
        member = member_of(tx, actor, conversation_id)
        count = views_of_unread.counts(tx, conversation_id).get(conversation_id, views_of_unread.Count())
        after = max(member.read_seq, member.history_from_seq)
        return {
            "conversationId": str(conversation_id),
            "unreadCount": count.unread,
            "mentionCount": count.mentioned,
            "readSeq": member.read_seq,
            "headSeq": member.head_seq,
            **views_of_unread.recount(tx, conversation_id, after),
        }
