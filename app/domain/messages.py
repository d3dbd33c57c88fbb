"""Sending a message and reading messages."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain import attachments, conversations, modes, typing
from app.domain.accepting import Sent, accept
from app.domain.access import member_of
from app.extensions import LOG
from app.kernel import clock, ids, limits
from app.kernel.actor import SYSTEM, Actor
from app.kernel.breaker import Down
from app.kernel.errors import DomainError, Invalid, NotFound, Unavailable
from app.kernel.events import Attachment, MessageEvent, Page
from app.kernel.requests import SendMessage
from app.live import log
from app.models import Transaction, transaction
from app.outbound import metrics
from app.queries import messages as views

REPLY = text(
    "SELECT m.id, COALESCE(m.thread_root_id, m.id) AS root FROM messages m"
    " WHERE m.id = :id AND m.conversation_id = :conversation_id"
)
PENDING_STEP_S = 0.02


def send(actor: Actor, *, request: SendMessage, now: datetime) -> Sent:
    """Accept a message: once this returns it is on stable storage and will be in the database exactly once.

    A retry (the same clientMessageId by the same sender) is answered with the first message, whatever has changed since.
    Raises Conflict, Invalid, NotFound, OutOfOrder, RateLimited or Unavailable.
    """
    began = time.perf_counter()
    client_message_id = request.client_message_id or ids.new_id()
    try:
        event = _draft(actor, request, client_message_id, now)
    except DomainError as refusal:
        first = _first(ids.message_id(actor.id, client_message_id))
        if first is None and isinstance(refusal, NotFound) and modes.is_behind() and LOG.has_failed:
            raise Unavailable("Whether this was accepted before cannot be told just now.") from refusal
        if first is None or _names_another(request, first):
            raise
        return Sent(first, is_new=False)
    try:
        sent = accept(actor, event, after=request.after_client_message_id)
    except DomainError as refusal:
        _let_go(actor, event, refusal)
        raise
    typing.stop_on_send(actor.id, event["conversationId"])
    if sent.is_new:
        metrics.accepted("through" if sent.message["persisted"] else "behind", time.perf_counter() - began)
    return sent


def _let_go(actor: Actor, event: MessageEvent, refusal: DomainError) -> None:
    """Free the uploads of what was refused for good, so that the corrected message can have them."""
    message_id = UUID(event["id"])
    if event["attachments"] and not refusal.temporary and _first(message_id) is None:
        attachments.release(actor, message_id=message_id)


def _draft(actor: Actor, request: SendMessage, client_message_id: UUID, now: datetime) -> MessageEvent:
    if not request.content and not request.attachment_ids:
        raise Invalid({"content": ["must not be empty"]})
    conversation_id = conversations.resolve(actor, request=request, now=now)
    reply_to, root = _reply(actor, conversation_id, request.reply_to_id)
    sender_id, client_key = ids.text_of(actor.id), str(client_message_id)
    message_key = ids.message_key(sender_id, client_key)
    claimed = _claimed(actor, request, conversation_id, UUID(message_key), now) if request.attachment_ids else []
    return {
        "id": message_key,
        "conversationId": ids.text_of(conversation_id),
        "seq": None,
        "changedSeq": None,
        "clientMessageId": client_key,
        "content": request.content,
        "messageType": request.message_type,
        "senderType": conversations.sender_type(actor, conversation_id),
        "senderId": sender_id,
        "sender": {
            "id": sender_id,
            "username": actor.username,
            "displayName": actor.display_name,
            "avatarUrl": actor.avatar_url,
        },
        "createdAt": clock.wire(now),
        "isEdited": False,
        "editedAt": None,
        "deletedAt": None,
        "replyToId": str(reply_to) if reply_to else None,
        "threadRootId": str(root) if root else None,
        "replyCount": 0,
        "rootReplyCount": None,
        "attachments": claimed,
        "reactions": [],
        "mentions": [],
        "metadata": request.metadata,
        "persisted": False,
    }


def _claimed(
    actor: Actor, request: SendMessage, conversation_id: UUID, message_id: UUID, now: datetime
) -> list[Attachment]:
    return attachments.claim(
        actor, conversation_id=conversation_id, message_id=message_id, attachment_ids=request.attachment_ids,
        kind=request.message_type, now=now,
    )  # fmt: skip


def _reply(actor: Actor, conversation_id: UUID, reply_to: UUID | None) -> tuple[UUID | None, UUID | None]:
    if reply_to is None:
        return None, None
    with transaction(actor) as tx:
        member_of(tx, actor, conversation_id)
    wait_until_committed(reply_to)
    with transaction(actor) as tx:
        found = tx.execute(REPLY, {"id": reply_to, "conversation_id": conversation_id}).one_or_none()
    if found is None:
        raise Invalid({"replyToId": ["names no message of this conversation"]})
    return found.id, found.root


def _first(message_id: UUID) -> MessageEvent | None:
    """Find what was sent before under this id, committed or still in the log."""
    try:
        target = log.pending(message_id) if modes.is_behind() else None
        if target is not None:
            return next((e for e in log.tail(target) if e["id"] == str(message_id)), None)
    except Down:
        pass
    with transaction(SYSTEM) as tx:
        return views.one(tx, message_id)


def _names_another(request: SendMessage, first: MessageEvent) -> bool:
    if request.conversation_id is not None:
        return str(request.conversation_id) != first["conversationId"]
    return False


# reading --------------------------------------------------------------------------------------------------------------
def wait_until_committed(message_id: UUID) -> None:
    """Wait half a second for an accepted message's commit; raises Unavailable where that is not enough."""
    deadline = time.monotonic() + limits.PENDING_WAIT_S
    try:
        while modes.is_behind() and log.pending(message_id) is not None:
            if time.monotonic() > deadline:
                raise Unavailable("The message is accepted and not yet stored; try again.")
            time.sleep(PENDING_STEP_S)
    except Down:
        return


def visible(tx: Transaction, message_id: UUID) -> MessageEvent:
    """Read a message that this actor may see; raises NotFound."""
    found = views.one(tx, message_id)
    if found is None:
        raise NotFound("The message")
    member_of(tx, tx.actor, UUID(found["conversationId"]))
    return found


def get(actor: Actor, *, message_id: UUID) -> MessageEvent:
    """Read one message; raises NotFound, or Unavailable where it is accepted and not yet committed."""
    wait_until_committed(message_id)
    with transaction(actor) as tx:
        return visible(tx, message_id)


def thread(actor: Actor, *, message_id: UUID, limit: int = limits.PAGE_MAX) -> list[MessageEvent]:
    """Read the thread that a message belongs to: its root and the replies, oldest first."""
    wait_until_committed(message_id)
    with transaction(actor, snapshot=True) as tx:
        found = visible(tx, message_id)
        return views.thread(tx, UUID(found["threadRootId"] or found["id"]), limit)


def history(
    actor: Actor,
    *,
    conversation_id: UUID,
    limit: int,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> Page:
    """Read a page of history. The newest page ends with what is accepted and not yet committed.

    The log's tail is read first and the database after it, then merged by id: nothing slips between the two. The database
    is read as of one moment: one who is removed meanwhile gets the page as it was, and never an empty one.
    """
    newest = before is None and around is None
    tail = _tail(conversation_id) if newest else []
    with transaction(actor, snapshot=True) as tx:
        member = member_of(tx, actor, conversation_id)
        found = views.page(
            tx, conversation_id, floor=member.history_from_seq, limit=limit, before=before, after=after, around=around
        )
        if tail and not found["hasAfter"]:
            known = {event["id"] for event in found["items"]} | _known(tx, tail)
            found["items"] += [event for event in tail if event["id"] not in known]
    return found


def _tail(conversation_id: UUID) -> list[MessageEvent]:
    if not modes.is_behind():
        return []
    try:
        return log.tail(conversation_id)
    except Down:
        return []


def _known(tx: Transaction, tail: list[MessageEvent]) -> set[str]:
    with tx.elevated():  # what came before this member could read is known too
        return {event["id"] for event in views.by_ids(tx, [event["id"] for event in tail])}


def edits(actor: Actor, *, message_id: UUID) -> list[dict[str, Any]]:
    """Read what a message said before, oldest first; nothing of a deleted one."""
    with transaction(actor, snapshot=True) as tx:
        found = visible(tx, message_id)
        return [] if found["deletedAt"] else views.edits(tx, message_id)
