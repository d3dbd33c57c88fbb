"""Uploads: received, looked into, kept, served to those who may, and taken away when nobody wants them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain import messages
from app.domain.access import member_of
from app.extensions import offload
from app.kernel import ids, limits
from app.kernel.actor import SYSTEM, Actor
from app.kernel.breaker import Down
from app.kernel.errors import Invalid, NotFound, RateLimited
from app.kernel.events import Attachment as Shown
from app.live import log as message_log
from app.models import Attachment, transaction
from app.outbound import blobs, contents
from app.queries.attachments import AS_JSON

log = logging.getLogger(__name__)
WAITING = text("SELECT count(*) FROM attachments WHERE uploader_id = :me AND position IS NULL AND message_id IS NULL")
READY = text(f"UPDATE attachments a SET deleted_at = NULL WHERE a.id = :id RETURNING {AS_JSON} AS shown")
FIND = text("SELECT name, content_type, sha256, has_thumbnail FROM attachments WHERE id = :id")
CLAIMED = text(
    "SELECT message_id, conversation_id FROM attachments WHERE id = :id AND message_id IS NOT NULL AND deleted_at IS NULL"
)
FORGOTTEN = text(
    "SELECT a.id, a.message_id FROM attachments a WHERE a.position IS NULL AND a.deleted_at IS NULL"
    " AND COALESCE(a.claimed_at, a.created_at) < :before LIMIT :limit"
)
HIDE = text("UPDATE attachments SET deleted_at = :now WHERE id = ANY(CAST(:ids AS uuid[])) AND position IS NULL")
HIDDEN = text("SELECT id FROM attachments WHERE deleted_at < :before ORDER BY deleted_at LIMIT :limit")
DELETE = text("DELETE FROM attachments WHERE id = ANY(CAST(:ids AS uuid[]))")
AT_ONCE = 500
THUMBNAIL = "thumbnail"


@dataclass(frozen=True, slots=True)
class Served:
    """A file to be answered with; ``is_shown`` says that a browser may show it itself, not only save it."""

    path: Path
    name: str
    content_type: str
    etag: str
    is_shown: bool


def begin(actor: Actor) -> blobs.Incoming:
    """Begin to receive a file; raises RateLimited where too many of one's uploads wait for a message."""
    with transaction(actor) as tx:
        waiting = tx.execute(WAITING, {"me": actor.id}).scalar_one()
    if waiting >= limits.UPLOADS_WAITING_MAX:
        raise RateLimited(60, f"{waiting} uploads wait for a message; send or leave them first.")
    return blobs.Incoming(limits.UPLOAD_MAX_BYTES)


def finish(actor: Actor, *, received: blobs.Incoming, name: str, now: datetime) -> Shown:
    """Keep what was received, for a message to come; raises Invalid where it is empty.

    The row comes first, hidden, so that a crash in between leaves no file that nobody knows of.
    """
    if received.bytes == 0:
        raise Invalid({"file": ["must not be empty"]})
    offload(received.close)
    described = offload(contents.describe, received.path)
    row = Attachment(
        id=ids.new_id(), uploader_id=actor.id, name=name, content_type=described.content_type, size_bytes=received.bytes,
        sha256=received.sha256, width=described.width, height=described.height,
        has_thumbnail=described.thumbnail is not None, created_at=now, deleted_at=now,
    )  # fmt: skip
    upload_id = row.id
    with transaction(SYSTEM) as tx:
        tx.add(row)
    offload(blobs.keep, received, upload_id)
    if described.thumbnail is not None:
        offload(blobs.put, described.thumbnail, upload_id, THUMBNAIL)
    with transaction(SYSTEM) as tx:
        shown: Shown = tx.execute(READY, {"id": upload_id}).scalar_one()
    return shown


def find(actor: Actor, *, upload_id: UUID, thumbnail: bool = False) -> Served:
    """Find a file for one who may have it: its uploader until a message has it, then those who see the message.

    Raises NotFound, or Unavailable while the message is accepted and not yet committed.
    """
    row = _visible(actor, upload_id) or _in_a_message(actor, upload_id)
    if thumbnail and not row.has_thumbnail:
        raise NotFound("The thumbnail")
    path = blobs.path_of(upload_id, THUMBNAIL if thumbnail else "")
    if not path.exists():
        log.error("the file of upload %s is gone", upload_id)
        raise NotFound("The upload")
    kind = "image/webp" if thumbnail else row.content_type
    etag = row.sha256.hex() + ("-small" if thumbnail else "")
    return Served(path, row.name, kind, etag, kind in contents.SHOWN)


def _visible(actor: Actor, upload_id: UUID) -> Any:
    with transaction(actor) as tx:
        return tx.execute(FIND, {"id": upload_id}).one_or_none()


def _in_a_message(actor: Actor, upload_id: UUID) -> Any:
    """Look again where the actor is a member by now (staff), or the message is committed by now."""
    with transaction(actor) as tx:
        with tx.elevated():
            claimed = tx.execute(CLAIMED, {"id": upload_id}).one_or_none()
        if claimed is None:
            raise NotFound("The upload")
        try:
            member_of(tx, actor, claimed.conversation_id)
        except NotFound:
            raise NotFound("The upload") from None
    messages.wait_until_committed(claimed.message_id)
    row = _visible(actor, upload_id)
    if row is None:
        raise NotFound("The upload")
    return row


# taking away ----------------------------------------------------------------------------------------------------------
def clean_up(*, now: datetime) -> int:
    """Take away what no message wanted within a day, and the files of what was hidden a day ago; gives how many files.

    First hidden, then the files, then the rows: stopped anywhere, the next run goes on.
    """
    before = now - timedelta(seconds=limits.UPLOAD_WAITS_S)
    with transaction(SYSTEM) as tx:
        forgotten = tx.execute(FORGOTTEN, {"before": before, "limit": AT_ONCE}).all()
        unwanted = [str(row.id) for row in forgotten if not _is_accepted(row.message_id)]
        tx.change(HIDE, {"ids": unwanted, "now": now})
    for path in blobs.left_lying(before):
        path.unlink(missing_ok=True)
    with transaction(SYSTEM) as tx:
        hidden = [row.id for row in tx.execute(HIDDEN, {"before": before, "limit": AT_ONCE})]
    for upload_id in hidden:
        blobs.remove(upload_id)
    with transaction(SYSTEM) as tx:
        return tx.change(DELETE, {"ids": [str(one) for one in hidden]})


def _is_accepted(message_id: UUID | None) -> bool:
    """Tell whether a message may still be committed with this upload; while the log cannot be asked, it may."""
    try:
        return message_id is not None and message_log.pending(message_id) is not None
    except Down:
        return True
