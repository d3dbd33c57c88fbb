"""Principals: every actor is a profile; people add an account and sessions."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Index, LargeBinary, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.columns import Id, Instant, Json, Key, ProfileKey, ProfileRef, Words


def _beginnings(name: str, expression: str) -> Index:
    """Make an index that finds texts by their beginning, whatever the database's collation."""
    words: ColumnElement[str] = literal_column(expression).label("words")
    return Index(name, words, postgresql_ops={"words": "text_pattern_ops"})


class Profile(Base):
    """What anyone may see of a principal."""

    __tablename__ = "profiles"
    __table_args__ = (
        Index("profiles_username", text("lower(username)"), unique=True),
        _beginnings("profiles_username_pattern", "lower(username)"),
        _beginnings("profiles_display_name_pattern", "lower(display_name)"),
    )

    id: Mapped[Key]
    kind: Mapped[Words]
    username: Mapped[Words | None]
    display_name: Mapped[Words]
    avatar_url: Mapped[Words | None]
    created_at: Mapped[Instant]
    disabled_at: Mapped[Instant | None]


class User(Base):
    """A person's account: what only that person and Parley itself may see."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_email", text("lower(email)"), unique=True),
        Index("users_staff", "profile_id", postgresql_where=text("role IN ('staff', 'admin')")),
    )

    profile_id: Mapped[ProfileKey]
    email: Mapped[Words]
    password_hash: Mapped[Words]
    role: Mapped[Words]
    created_at: Mapped[Instant]
    password_changed_at: Mapped[Instant]


class Session(Base):
    """A sign-in: an API session (a family of refresh tokens) or a browser's (a cookie).

    ``generation`` counts the refresh tokens handed out; a token is derived from (id, generation, nonce), so the
    successor of an old one can be given again without keeping any token (``domain/sessions.py``).
    """

    __tablename__ = "sessions"
    __table_args__ = (
        Index("sessions_profile", "profile_id", postgresql_where=text("revoked_at IS NULL")),
        Index("sessions_expiry", "expires_at"),
    )

    id: Mapped[Key]
    profile_id: Mapped[ProfileRef]
    kind: Mapped[Words]
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    generation: Mapped[int]
    rotated_at: Mapped[Instant]
    created_at: Mapped[Instant]
    last_used_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    revoked_at: Mapped[Instant | None]
    user_agent: Mapped[Words]
    address: Mapped[Words]


class UserPresence(Base):
    """When a principal was last seen, written in batches."""

    __tablename__ = "user_presence"

    profile_id: Mapped[ProfileKey]
    last_seen_at: Mapped[Instant]


class AuditEntry(Base):
    """One thing that somebody did which an operator may ask about."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("audit_log_at", "at"),)

    id: Mapped[Key]
    at: Mapped[Instant]
    actor_id: Mapped[Id | None]
    action: Mapped[Words]
    subject_id: Mapped[Id | None]
    details: Mapped[Json]
