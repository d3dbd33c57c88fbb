"""Conversations and who is in them: one table each for direct, group, room and support alike."""

from __future__ import annotations

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from app.extensions import Base
from app.models.columns import ConversationKey, Instant, Key, ProfileKey, ProfileRef, Seq, Words


class Conversation(Base):
    """A conversation. ``head_seq`` is its newest position; ``version`` counts the changes that take none."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("slug"),
        Index("conversations_direct_pair", "direct_low", "direct_high", unique=True),
        Index(
            "conversations_public",
            "slug",
            postgresql_where=text("kind = 'room' AND visibility = 'public' AND deleted_at IS NULL"),
        ),
        Index("conversations_inbox", "status", postgresql_where=text("kind = 'support'")),
        Index("conversations_updated", "updated_at", postgresql_using="brin", postgresql_with={"pages_per_range": 8}),
        Index("conversations_customer", "customer_id", postgresql_where=text("kind = 'support'")),
    )

    id: Mapped[Key]
    kind: Mapped[Words]
    slug: Mapped[Words | None]
    title: Mapped[Words | None]
    topic: Mapped[Words | None]
    visibility: Mapped[Words]
    direct_low: Mapped[ProfileRef | None]
    direct_high: Mapped[ProfileRef | None]
    head_seq: Mapped[Seq]
    version: Mapped[Seq]
    member_count: Mapped[int]
    created_by: Mapped[ProfileRef]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    active_at: Mapped[Instant]
    deleted_at: Mapped[Instant | None]
    customer_id: Mapped[ProfileRef | None]
    status: Mapped[Words | None]
    assignee_id: Mapped[ProfileRef | None]


class Membership(Base):
    """Someone's place in a conversation; the row stays when they leave, so that a return is known."""

    __tablename__ = "memberships"
    __table_args__ = (
        Index(
            "memberships_joined",
            "conversation_id",
            "joined_at",
            "profile_id",
            postgresql_where=text("left_at IS NULL"),
        ),
        Index("memberships_profile", "profile_id", "conversation_id", postgresql_where=text("left_at IS NULL")),
    )

    conversation_id: Mapped[ConversationKey]
    profile_id: Mapped[ProfileKey]
    role: Mapped[Words]
    joined_at: Mapped[Instant]
    left_at: Mapped[Instant | None]
    history_from_seq: Mapped[Seq]
    read_seq: Mapped[Seq]
    received_seq: Mapped[Seq]
    muted: Mapped[bool]
    archived: Mapped[bool]
    pinned: Mapped[bool]
    notifications: Mapped[Words]
    notified_seq: Mapped[Seq]
