"""Accepting a drafted message: into the log, or straight into the database (design section 2.1, 2.6 and 2.9)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.domain import groupcommit, hearing, modes, unsettled
from app.domain.access import member_of
from app.kernel import ids, json
from app.kernel.actor import SYSTEM, Actor
from app.kernel.breaker import Down
from app.kernel.errors import Conflict, DomainError, Invalid, NotFound, OutOfOrder, RateLimited, Unavailable
from app.kernel.events import MessageEvent
from app.kernel.gathering import Gathering
from app.live import log, membership, rates
from app.live.log import Answer
from app.models import transaction
from app.models.arrays import array
from app.outbound import emits
from app.queries import messages as views

KNOWN = text(
    "SELECT id FROM messages WHERE id = ANY(CAST(:ids AS uuid[]))"
    " UNION ALL SELECT message_id FROM dead_letters WHERE message_id = ANY(CAST(:ids AS uuid[]))"
)
BURIED = text("SELECT 1 FROM dead_letters WHERE message_id = :id")


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a send. ``is_new`` is false where it was a retry of what had been accepted before."""

    message: MessageEvent
    is_new: bool
    encoded: bytes | None = None  # the message's text, where it has been made


def accept(actor: Actor, event: MessageEvent, *, after: UUID | None) -> Sent:
    """Accept a drafted message; raises what refuses it, or Unavailable."""
    if hearing.is_deaf():
        raise Unavailable("This process has lost touch with the others.")
    if modes.is_behind():
        try:
            return _accept_behind(actor, event, after)
        except Down:
            return _accept_unasked(actor, event, after)
    return _accept_through(actor, event, after)


def _accept_unasked(actor: Actor, event: MessageEvent, after: UUID | None) -> Sent:
    """Write straight into the database what the log cannot be asked about. It may hold this very id already, so one who
    is no member any more is not refused for good: told so, their client would give up what will be stored after all.
    """
    try:
        return _accept_through(actor, event, after)
    except NotFound as refusal:
        raise Unavailable("Whether this was accepted before cannot be told just now.") from refusal


def _accept_through(actor: Actor, event: MessageEvent, after: UUID | None) -> Sent:
    wait_s = rates.take_send(actor.id)
    if wait_s:
        return _too_soon(actor, event, after, wait_s)
    is_new = False
    try:
        message, is_new, encoded = groupcommit.submit(event, after=after)
    finally:
        if not is_new:
            rates.give_back_send(actor.id)
    return Sent(message, is_new, encoded)


def _too_soon(actor: Actor, event: MessageEvent, after: UUID | None, wait_s: float) -> Sent:
    """Answer a retry all the same; else refuse, for another reason first where there is one."""
    first = _committed(event["id"], event["conversationId"])
    if first is not None:
        return Sent(first, is_new=False)
    with transaction(actor) as tx:
        member_of(tx, actor, UUID(event["conversationId"]))
    if after is not None and not _is_there(ids.message_id(actor.id, after)):
        raise OutOfOrder
    raise _hurried(wait_s)


def _accept_behind(actor: Actor, event: MessageEvent, after: UUID | None) -> Sent:
    """Accept into the log, and have this process look after the message until its final is heard."""
    unsettled.begin(event, after)
    emits.hear(event["conversationId"])  # its final is emitted there, and its sender need not be connected here
    try:
        sent = _ask_log(actor, event, after)
    finally:
        unsettled.end(event["id"])
    if pause_s := unsettled.pause_s():
        time.sleep(pause_s)
    return sent


def _ask_log(actor: Actor, event: MessageEvent, after: UUID | None) -> Sent:
    """Ask the log; where it says what it must know first, find that out and ask again."""
    after_id = ids.message_id(actor.id, after) if after else None
    found: dict[str, bool] = {}
    encoded = json.dump_bytes(event)
    for _ in range(6):
        answer = log.accept(event, after=after_id, encoded=encoded, **found)
        if answer.kind == "accepted":
            unsettled.accepted(event)
            return Sent(event, is_new=True, encoded=encoded)
        if answer.event is not None:  # whoever acks it looks after it: who put it there may have ended
            unsettled.accepted(answer.event)
        first = answer.event or _first_copy(answer, event)
        if first is not None:
            return Sent(first, is_new=False)
        found |= _find_out(answer, actor, event, after_id)
    raise Unavailable("The membership changed while this was being accepted.")


def _first_copy(answer: Answer, event: MessageEvent) -> MessageEvent | None:
    if answer.kind not in ("committed", "verify"):
        return None
    first = _committed(event["id"], event["conversationId"])
    if first is None and answer.kind == "committed":
        raise Unavailable("The first copy of this message is on its way; try again.")
    return first


def _find_out(answer: Answer, actor: Actor, event: MessageEvent, after_id: UUID | None) -> dict[str, bool]:
    """Answer the log's question from the database; raises what refuses the message."""
    if answer.kind == "verify":
        return {"is_new": True}
    if answer.kind == "member?":
        _load_membership(actor, UUID(event["conversationId"]))
        return {}
    if answer.kind == "verify_after" and after_id is not None and _is_there(after_id):
        return {"after_is_there": True}
    raise OutOfOrder if answer.kind == "verify_after" else _refusal(answer)


def _refusal(answer: Answer) -> DomainError:
    if answer.kind == "conflict":
        return Conflict("This clientMessageId was used for another conversation.")
    if answer.kind == "out_of_order":
        return OutOfOrder()
    if answer.kind == "limited":
        return _hurried(answer.wait_s)
    return Unavailable("Too many messages wait for the database.", retry_after_s=2)


def _hurried(wait_s: float) -> RateLimited:
    return RateLimited(wait_s, "Too many messages; slow down.")


def _load_membership(actor: Actor, conversation_id: UUID) -> None:
    token = membership.begin_load(conversation_id)
    with transaction(actor) as tx:
        found = member_of(tx, actor, conversation_id)
    membership.finish_load(conversation_id, actor.id, token, history_from_seq=found.history_from_seq)


def _committed(message_id: str, conversation_id: str) -> MessageEvent | None:
    """Find the first copy in the database. With the database away the drain settles it: nothing is stored twice."""
    try:
        if not _known.ask(message_id):
            return None
        with transaction(SYSTEM) as tx:
            found = views.one(tx, UUID(message_id))
            if found is None and tx.execute(BURIED, {"id": message_id}).one_or_none():
                raise Invalid({"content": ["could not be stored"]})
    except Unavailable:
        return None
    if found is not None and found["conversationId"] != conversation_id:
        raise Conflict("This clientMessageId was used for another conversation.")
    return found


def _read_known(message_ids: Sequence[str]) -> list[bool]:
    """Find out which ids the database knows, for all who ask just then: everybody does while the filter is being filled."""
    with transaction(SYSTEM) as tx:
        known = {str(one) for one in tx.execute(KNOWN, {"ids": array(message_ids)}).scalars()}
    return [one in known for one in message_ids]


_known: Gathering[str, bool] = Gathering(_read_known, turns=2)


def _is_there(message_id: UUID) -> bool:
    with transaction(SYSTEM) as tx:
        return views.one(tx, message_id) is not None
