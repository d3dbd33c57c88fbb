"""The column types that the tables share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID as PG_UUID
from sqlalchemy.orm import mapped_column

Key = Annotated[UUID, mapped_column(PG_UUID(as_uuid=True), primary_key=True)]
Id = Annotated[UUID, mapped_column(PG_UUID(as_uuid=True))]
ProfileRef = Annotated[UUID, mapped_column(PG_UUID(as_uuid=True), ForeignKey("profiles.id"))]
ConversationRef = Annotated[UUID, mapped_column(PG_UUID(as_uuid=True), ForeignKey("conversations.id"))]
MessageRef = Annotated[UUID, mapped_column(PG_UUID(as_uuid=True), ForeignKey("messages.id"))]
ProfileKey = Annotated[UUID, mapped_column(PG_UUID(as_uuid=True), ForeignKey("profiles.id"), primary_key=True)]
ConversationKey = Annotated[
    UUID, mapped_column(PG_UUID(as_uuid=True), ForeignKey("conversations.id"), primary_key=True)
]
MessageKey = Annotated[UUID, mapped_column(PG_UUID(as_uuid=True), ForeignKey("messages.id"), primary_key=True)]
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Seq = Annotated[int, mapped_column(BigInteger)]
Words = Annotated[str, mapped_column(Text)]
Json = Annotated[dict[str, Any], mapped_column(JSONB)]
