"""Identifiers: typed, and derived where the contract wants them derived."""

from __future__ import annotations

from typing import NewType
from uuid import UUID, uuid4, uuid5

ProfileId = NewType("ProfileId", UUID)
ConversationId = NewType("ConversationId", UUID)
MessageId = NewType("MessageId", UUID)


def message_id(sender_id: UUID, client_message_id: UUID) -> UUID:
    """Derive a message's id from its sender and the client's id, so that every path and retry computes the same one."""
    return uuid5(sender_id, str(client_message_id))


def new_id() -> UUID:
    """Make a random id (version 4)."""
    return uuid4()


def parse_id(text: object) -> UUID | None:
    """Read an id in its canonical, hyphenated form; anything else is None."""
    if not isinstance(text, str) or len(text) != 36:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None
