"""What people upload, and the message that it became part of."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.columns import Id, Instant, Key, ProfileRef, Words


class Attachment(Base):
    """An upload. A send claims it (``message_id``); with the message's commit it gets its place in it (``position``).

    Where ``deleted_at`` is set nobody sees it, and the job takes its files away: while they are being written, once
    nobody wants it, and with its message's tombstone.
    """

    __tablename__ = "attachments"
    __table_args__ = (
        Index("attachments_message", "message_id", postgresql_where=text("message_id IS NOT NULL")),
        Index("attachments_waiting", "uploader_id", "created_at", postgresql_where=text("position IS NULL")),
        Index("attachments_deleted", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    id: Mapped[Key]
    uploader_id: Mapped[ProfileRef]
    conversation_id: Mapped[Id | None]
    message_id: Mapped[Id | None]
    position: Mapped[int | None] = mapped_column(SmallInteger)
    name: Mapped[Words]
    content_type: Mapped[Words]
    size_bytes: Mapped[int] = mapped_column("bytes", BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    width: Mapped[int | None]
    height: Mapped[int | None]
    has_thumbnail: Mapped[bool]
    created_at: Mapped[Instant]
    claimed_at: Mapped[Instant | None]
    deleted_at: Mapped[Instant | None]
