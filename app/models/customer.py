"""Customers: those who write through the portal or a widget, and their tokens."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.columns import Instant, Json, Key, ProfileKey, ProfileRef, Words


class Customer(Base):
    """What staff know of a customer; ``external_id`` is the embedding product's own name for them."""

    __tablename__ = "customers"
    __table_args__ = (UniqueConstraint("external_id"), Index("customers_created", "created_at", "profile_id"))

    profile_id: Mapped[ProfileKey]
    email: Mapped[Words | None]
    external_id: Mapped[Words | None]
    details: Mapped[Json] = mapped_column("metadata")
    created_by: Mapped[ProfileRef | None]
    created_at: Mapped[Instant]


class PortalToken(Base):
    """A customer's key to the portal; shown once, kept as a hash."""

    __tablename__ = "portal_tokens"
    __table_args__ = (UniqueConstraint("token_hash"), Index("portal_tokens_profile", "profile_id"))

    id: Mapped[Key]
    profile_id: Mapped[ProfileRef]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_by: Mapped[ProfileRef | None]
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant | None]
    revoked_at: Mapped[Instant | None]
