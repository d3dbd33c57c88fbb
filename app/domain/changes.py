"""Edits, deletions and reactions: each takes the next position in its own transaction, under the conversation's lock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from app.domain import attachments, mentions, messages, telling
from app.domain.access import Member, member_of
from app.kernel.actor import Actor
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.events import MessageEvent
from app.models import Transaction, transaction
from app.queries import messages as views

MOVE_HEAD = text("UPDATE conversations SET head_seq = :head, updated_at = clock_timestamp() WHERE id = :id")
EDIT = text("UPDATE messages SET content = :content, edited_at = :now, changed_seq = :position WHERE id = :id")
ERASE = text(
    "UPDATE messages SET content = '', metadata = '{}', deleted_at = :now, changed_seq = :position, attachment_count = 0"
    " WHERE id = :id"
)
TOUCH = text("UPDATE messages SET changed_seq = :position WHERE id = :id")
KEEP = text(
    "INSERT INTO message_edits (message_id, position, conversation_id, editor_id, content, changed_at)"
    " VALUES (:id, :position, :conversation_id, :editor, :content, :now)"
)
FORGET_REACTIONS = text("DELETE FROM reactions WHERE message_id = :id")
REACT = text(
    "INSERT INTO reactions (message_id, emoji, profile_id, conversation_id, created_at)"
    " VALUES (:id, :emoji, :me, :conversation_id, :now) ON CONFLICT DO NOTHING"
)
UNREACT = text("DELETE FROM reactions WHERE message_id = :id AND emoji = :emoji AND profile_id = :me")
ONE_REPLY_LESS = text(
    "UPDATE messages SET reply_count = reply_count - 1, changed_seq = :position WHERE id = :root RETURNING reply_count"
)
OWN_COUNT = text("UPDATE messages SET root_reply_count = :count WHERE id = :id")
EMOJIS_MAX = 50


Change = Callable[[Transaction, MessageEvent, Member, int], bool]


def edit(actor: Actor, *, message_id: UUID, content: str, now: datetime) -> MessageEvent:
    """Change the words of an own message; raises Conflict on a deleted one, Forbidden on another's."""

    def change(tx: Transaction, event: MessageEvent, _: Member, position: int) -> bool:
        if event["senderId"] != str(actor.id):
            raise Forbidden("Only its author may edit a message.")
        _require_alive(event)
        if not content and not event["attachments"]:
            raise Invalid({"content": ["must not be empty"]})
        if event["content"] == content:
            return False
        _keep(tx, actor, event, position, now)
        tx.change(EDIT, {"id": event["id"], "content": content, "now": now, "position": position})
        mentions.rewrite(tx, {**event, "content": content})
        return True

    return _change(actor, message_id, change)


def delete(actor: Actor, *, message_id: UUID, now: datetime) -> MessageEvent:
    """Turn a message into a tombstone: one's own, or anyone's where one moderates. A second time changes nothing."""

    def change(tx: Transaction, event: MessageEvent, member: Member, position: int) -> bool:
        if event["senderId"] != str(actor.id) and not member.moderates:
            raise Forbidden("Only its author or a moderator may delete a message.")
        if event["deletedAt"]:
            return False
        _keep(tx, actor, event, position, now)
        tx.change(ERASE, {"id": event["id"], "now": now, "position": position})
        tx.execute(FORGET_REACTIONS, {"id": event["id"]})
        mentions.forget(tx, event["id"])
        attachments.forget(tx, event, now=now)
        _uncount_reply(tx, event, position)
        return True

    return _change(actor, message_id, change)


def react(actor: Actor, *, message_id: UUID, emoji: str, now: datetime) -> MessageEvent:
    """Put one's emoji on a message; the same again changes nothing."""

    def change(tx: Transaction, event: MessageEvent, _: Member, position: int) -> bool:
        _require_alive(event)
        names = {reaction["emoji"] for reaction in event["reactions"]}
        if emoji not in names and len(names) >= EMOJIS_MAX:
            raise Conflict(f"A message takes at most {EMOJIS_MAX} different reactions.")
        values = {"id": event["id"], "emoji": emoji, "me": actor.id, "now": now}
        return _reacted(tx, tx.change(REACT, {**values, "conversation_id": event["conversationId"]}), event, position)

    return _change(actor, message_id, change)


def unreact(actor: Actor, *, message_id: UUID, emoji: str) -> MessageEvent:
    """Take one's emoji off a message; where there is none nothing changes."""

    def change(tx: Transaction, event: MessageEvent, _: Member, position: int) -> bool:
        touched = tx.change(UNREACT, {"id": event["id"], "emoji": emoji, "me": actor.id})
        return _reacted(tx, touched, event, position)

    return _change(actor, message_id, change)


def _reacted(tx: Transaction, touched: int, event: MessageEvent, position: int) -> bool:
    if touched:
        tx.change(TOUCH, {"id": event["id"], "position": position})
    return bool(touched)


def _change(actor: Actor, message_id: UUID, change: Change) -> MessageEvent:
    """Run a change under the lock; where it did something, move the head and tell everybody after the commit."""
    messages.wait_until_committed(message_id)
    with transaction(actor) as tx:
        conversation_id = UUID(messages.visible(tx, message_id)["conversationId"])
        member = member_of(tx, actor, conversation_id, lock=True)
        event = messages.visible(tx, message_id)  # again, now that nobody else can change it
        position = member.head_seq + 1
        with tx.elevated():  # the rules have been asked by now; rows of messages are written by Parley itself
            if not change(tx, event, member, position):
                return event
            tx.change(MOVE_HEAD, {"id": conversation_id, "head": position})
            return _announced(tx, event, position)


def _announced(tx: Transaction, event: MessageEvent, position: int) -> MessageEvent:
    told = [event["id"], *([event["threadRootId"]] if event["threadRootId"] else [])]
    after = {found["id"]: found for found in views.by_ids(tx, told) if found["changedSeq"] == position}
    changed = after.pop(event["id"])
    tx.after_commit(lambda: telling.changed(changed, list(after.values())))
    return changed


def _require_alive(event: MessageEvent) -> None:
    if event["deletedAt"]:
        raise Conflict("The message is deleted.")


def _keep(tx: Transaction, actor: Actor, event: MessageEvent, position: int, now: datetime) -> None:
    values = {"id": event["id"], "position": position, "conversation_id": event["conversationId"], "now": now}
    tx.change(KEEP, {**values, "editor": actor.id, "content": event["content"]})


def _uncount_reply(tx: Transaction, event: MessageEvent, position: int) -> None:
    if event["threadRootId"]:
        count = tx.execute(ONE_REPLY_LESS, {"root": event["threadRootId"], "position": position}).scalar_one()
        tx.change(OWN_COUNT, {"id": event["id"], "count": count})
