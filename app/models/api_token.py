"""Bots' keys."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.columns import Instant, Key, ProfileRef, Words


class ApiToken(Base):
    """A bot's key; shown once, kept as a hash."""

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("token_hash"), Index("api_tokens_profile", "profile_id"))

    id: Mapped[Key]
    profile_id: Mapped[ProfileRef]
    name: Mapped[Words]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_by: Mapped[ProfileRef | None]
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant | None]
    revoked_at: Mapped[Instant | None]
