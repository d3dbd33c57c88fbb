"""E-mails on their way, and what they are about."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.columns import Instant, Json, Key, ProfileKey, ProfileRef, Words


class Letter(Base):
    """An e-mail to a principal, from the moment it is owed until long after it was sent or given up.

    ``subject`` says what it is about; its words are found when it is sent. ``due_at`` is when to try (next), and while it
    is being sent, when whoever sends it counts as gone.
    """

    __tablename__ = "letters"
    __table_args__ = (
        Index("letters_due", "due_at", postgresql_where=text("ended_at IS NULL")),
        Index("letters_ended", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
        Index("letters_profile", "profile_id", "kind", "created_at"),
        Index(
            "letters_one_digest",
            "profile_id",
            unique=True,
            postgresql_where=text("kind = 'digest' AND ended_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    profile_id: Mapped[ProfileRef]
    kind: Mapped[Words]
    subject: Mapped[Json]
    state: Mapped[Words]
    attempts: Mapped[int]
    created_at: Mapped[Instant]
    due_at: Mapped[Instant]
    ended_at: Mapped[Instant | None]
    reason: Mapped[Words | None]


class NotificationSettings(Base):
    """What someone wants to be mailed of; those who never chose have no row."""

    __tablename__ = "notification_settings"

    profile_id: Mapped[ProfileKey]
    email: Mapped[Words]
    delay_minutes: Mapped[int]
    changed_at: Mapped[Instant]


class PasswordReset(Base):
    """A right to set a new password, once. Its token is derived (``domain/resets.py``) and stored nowhere."""

    __tablename__ = "password_resets"
    __table_args__ = (
        Index("password_resets_profile", "profile_id", "created_at"),
        Index("password_resets_expiry", "expires_at"),
    )

    id: Mapped[Key]
    profile_id: Mapped[ProfileRef]
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    used_at: Mapped[Instant | None]
