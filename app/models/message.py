"""Messages and all that hangs on them."""

from __future__ import annotations

from sqlalchemy import Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.columns import (
    ConversationKey,
    ConversationRef,
    Id,
    Instant,
    Json,
    Key,
    MessageKey,
    MessageRef,
    ProfileKey,
    ProfileRef,
    Seq,
    Words,
)


class Message(Base):
    """A committed message. ``seq`` is the position of its creation, ``changed_seq`` of its latest change."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("messages_places", "conversation_id", "seq", unique=True, postgresql_include=["sender_id", "deleted_at"]),
        UniqueConstraint("sender_id", "client_message_id"),
        Index("messages_changed", "conversation_id", "changed_seq"),
        Index(
            "messages_tombstones",
            "deleted_at",
            postgresql_where=text("deleted_at IS NOT NULL AND purged_at IS NULL"),
        ),
        Index("messages_thread", "thread_root_id", "seq", postgresql_where=text("thread_root_id IS NOT NULL")),
        Index("messages_by_sender", "conversation_id", "sender_id", "seq", postgresql_where=text("deleted_at IS NULL")),
    )

    id: Mapped[Key]
    conversation_id: Mapped[ConversationRef]
    seq: Mapped[Seq]
    changed_seq: Mapped[Seq]
    sender_id: Mapped[ProfileRef]
    sender_type: Mapped[Words]
    client_message_id: Mapped[Id]
    content: Mapped[Words]
    message_type: Mapped[Words]
    created_at: Mapped[Instant]
    edited_at: Mapped[Instant | None]
    deleted_at: Mapped[Instant | None]
    reply_to_id: Mapped[MessageRef | None]
    thread_root_id: Mapped[MessageRef | None]
    reply_count: Mapped[int]
    root_reply_count: Mapped[int | None]
    attachment_count: Mapped[int] = mapped_column(SmallInteger)
    details: Mapped[Json] = mapped_column("metadata")
    committed_at: Mapped[Instant | None] = mapped_column(server_default=text("clock_timestamp()"))
    through: Mapped[bool | None]
    purged_at: Mapped[Instant | None]


class MessageEdit(Base):
    """What a message said before a change, and the position of that change."""

    __tablename__ = "message_edits"

    message_id: Mapped[MessageKey]
    position: Mapped[Seq] = mapped_column(primary_key=True)
    conversation_id: Mapped[ConversationRef]
    editor_id: Mapped[ProfileRef]
    content: Mapped[Words]
    changed_at: Mapped[Instant]


class Reaction(Base):
    """One person's emoji on one message."""

    __tablename__ = "reactions"

    message_id: Mapped[MessageKey]
    emoji: Mapped[Words] = mapped_column(primary_key=True)
    profile_id: Mapped[ProfileKey]
    conversation_id: Mapped[ConversationRef]
    created_at: Mapped[Instant]


class Mention(Base):
    """A member who is named in a message."""

    __tablename__ = "mentions"
    __table_args__ = (Index("mentions_profile", "profile_id", "conversation_id", "seq"),)

    message_id: Mapped[MessageKey]
    profile_id: Mapped[ProfileKey]
    conversation_id: Mapped[ConversationRef]
    seq: Mapped[Seq]


class ReadMark(Base):
    """Someone read up to a position at an instant; the receipt of any message is derived from these."""

    __tablename__ = "read_marks"

    conversation_id: Mapped[ConversationKey]
    profile_id: Mapped[ProfileKey]
    up_to_seq: Mapped[Seq] = mapped_column(primary_key=True)
    read_at: Mapped[Instant]


class ReceivedMark(Base):
    """Someone's device received what lies between two positions at an instant; each message is in one mark at most."""

    __tablename__ = "received_marks"
    __table_args__ = (
        Index("received_marks_age", "received_at", postgresql_using="brin", postgresql_with={"pages_per_range": 32}),
    )

    conversation_id: Mapped[ConversationKey]
    profile_id: Mapped[ProfileKey]
    from_seq: Mapped[Seq]
    up_to_seq: Mapped[Seq] = mapped_column(primary_key=True)
    received_at: Mapped[Instant]


class DeliveryFailure(Base):
    """A message did not reach someone on a path beside the socket (mail, push), or they have no account any more."""

    __tablename__ = "delivery_failures"
    __table_args__ = (Index("delivery_failures_message", "message_id"),)

    id: Mapped[Key]
    message_id: Mapped[MessageRef]
    conversation_id: Mapped[ConversationRef]
    sender_id: Mapped[ProfileRef]
    recipient_id: Mapped[ProfileRef]
    path: Mapped[Words]
    reason: Mapped[Words]
    failed_at: Mapped[Instant]


class DeadLetter(Base):
    """An accepted entry that the database refused for its content, kept for the operator."""

    __tablename__ = "dead_letters"

    message_id: Mapped[Key]
    conversation_id: Mapped[Id | None]
    sender_id: Mapped[Id | None]
    entry: Mapped[Json]
    sqlstate: Mapped[Words]
    reason: Mapped[Words]
    created_at: Mapped[Instant]
