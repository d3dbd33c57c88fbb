"""Which uploads a message is made of. A send claims them before its accept; the commit gives each its place.

The claim is by the message's derived id, so a retry finds its own. What the commit writes follows the accepted event, not the
claim: a retry that names other uploads changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain.access import member_of
from app.kernel.actor import Actor
from app.kernel.errors import Conflict, Invalid
from app.kernel.events import Attachment, MessageEvent
from app.models import Transaction, transaction
from app.queries.attachments import AS_JSON

WANTED = text(
    f"SELECT a.id, a.message_id, a.content_type, {AS_JSON} AS shown FROM attachments a"
    " WHERE a.id = ANY(CAST(:ids AS uuid[])) AND a.uploader_id = :me ORDER BY a.id FOR NO KEY UPDATE"
)
CLAIM = text(
    "UPDATE attachments SET message_id = :message_id, conversation_id = :conversation_id, claimed_at = :now"
    " WHERE id = ANY(CAST(:ids AS uuid[])) AND message_id IS NULL"
)
RELEASE = text(
    "UPDATE attachments SET message_id = NULL, conversation_id = NULL, claimed_at = NULL"
    " WHERE message_id = :message_id AND position IS NULL"
)
PLACE = text(
    "UPDATE attachments a SET message_id = new.message_id, conversation_id = new.conversation_id, position = new.position,"
    " claimed_at = COALESCE(a.claimed_at, clock_timestamp())"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:messages AS uuid[]), CAST(:conversations AS uuid[]),"
    " CAST(:positions AS smallint[])) AS new(id, message_id, conversation_id, position)"
    " WHERE a.id = new.id AND a.deleted_at IS NULL AND COALESCE(a.message_id, new.message_id) = new.message_id"
    f" RETURNING a.message_id, a.position, {AS_JSON} AS shown"
)
FORGET = text("UPDATE attachments SET deleted_at = :now WHERE message_id = :message_id AND deleted_at IS NULL")
KINDS = {"image": "image/", "voice": "audio/"}


def claim(
    actor: Actor, *, conversation_id: UUID, message_id: UUID, attachment_ids: Sequence[UUID], kind: str, now: datetime
) -> list[Attachment]:
    """Make uploads part of a message that is about to be accepted; gives them in the order asked.

    Raises NotFound, Conflict where another message has one of them, or Invalid.
    """
    if not attachment_ids:
        return []
    with transaction(actor) as tx:
        member_of(tx, actor, conversation_id)
        if len(set(attachment_ids)) < len(attachment_ids):
            raise Invalid({"attachmentIds": ["names an upload twice"]})
        ids = [str(one) for one in attachment_ids]
        rows = _wanted(tx, attachment_ids, actor)
        if None in rows:
            # One that its message's commit had locked is judged by row security after the wait, but as of the moment before it,
            # when that message was not to be seen. A second look is of a later moment.
            rows = _wanted(tx, attachment_ids, actor)
        _check(rows, message_id, kind)
        tx.change(CLAIM, {"ids": ids, "message_id": message_id, "conversation_id": conversation_id, "now": now})
    return [row.shown for row in rows if row is not None]


def _wanted(tx: Transaction, attachment_ids: Sequence[UUID], actor: Actor) -> list[Any]:
    found = tx.execute(WANTED, {"ids": [str(one) for one in attachment_ids], "me": actor.id})
    by_id = {row.id: row for row in found}
    return [by_id.get(one) for one in attachment_ids]


def _check(rows: Sequence[Any], message_id: UUID, kind: str) -> None:
    if any(row is None for row in rows):
        raise Invalid({"attachmentIds": ["names an upload that was not found"]})
    if any(row.message_id not in (None, message_id) for row in rows):
        sentence = "names an upload that is part of another message"
        raise Conflict(f"attachmentIds {sentence}.", fields={"attachmentIds": [sentence]})
    beginning = KINDS.get(kind, "")
    if not all(row.content_type.startswith(beginning) for row in rows):
        raise Invalid({"messageType": [f"is {kind}, and an upload is not"]})


def release(actor: Actor, *, message_id: UUID) -> None:
    """Let go of the uploads of a message that was refused for good: another may have them."""
    with transaction(actor) as tx:
        tx.change(RELEASE, {"message_id": message_id})


def place(tx: Transaction, rows: Sequence[MessageEvent]) -> None:
    """Give the uploads of these messages their places, with the messages' own commit.

    What is not there any more is left out of the row too, so that its event says what a fresh load says.
    """
    pairs = [(row, number, one) for row in rows for number, one in enumerate(row["attachments"])]
    if not pairs:
        return
    values = {
        "ids": [one["id"] for _, _, one in pairs],
        "messages": [row["id"] for row, _, _ in pairs],
        "conversations": [row["conversationId"] for row, _, _ in pairs],
        "positions": [number for _, number, _ in pairs],
    }
    placed: dict[str, list[Any]] = {}
    for found in sorted(tx.execute(PLACE, values), key=lambda found: found.position):
        placed.setdefault(str(found.message_id), []).append(found.shown)
    for row in rows:
        row["attachments"] = placed.get(row["id"], [])


def forget(tx: Transaction, event: MessageEvent, *, now: datetime) -> None:
    """Hide the uploads of a message that is being deleted, at once; their files follow."""
    if event["attachments"]:
        tx.change(FORGET, {"message_id": event["id"], "now": now})
