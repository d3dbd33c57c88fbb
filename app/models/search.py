"""What messages are found by: kept beside them, so that writing one costs no more for it."""

from __future__ import annotations

from sqlalchemy import Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.columns import ConversationKey, Id, Instant, Seq


class FoundMessage(Base):
    """A message's pieces (``kernel/terms.py``), with where it is, who wrote it and what it has, as pieces too."""

    __tablename__ = "found_messages"
    __table_args__ = (Index("found_messages_terms", "terms", postgresql_using="gin"),)

    conversation_id: Mapped[ConversationKey]
    seq: Mapped[Seq] = mapped_column(primary_key=True)
    message_id: Mapped[Id]
    created_at: Mapped[Instant]
    terms: Mapped[list[str]] = mapped_column(ARRAY(Text))


class FoundUpTo(Base):
    """Up to which position a conversation's changes can be found."""

    __tablename__ = "found_up_to"

    conversation_id: Mapped[ConversationKey]
    seq: Mapped[Seq]
