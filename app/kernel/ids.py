"""Identifiers: typed, and derived where the contract wants them derived."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha1
from typing import NewType
from uuid import UUID, uuid4, uuid5

ProfileId = NewType("ProfileId", UUID)
ConversationId = NewType("ConversationId", UUID)
MessageId = NewType("MessageId", UUID)
_CANONICAL = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))  # RFC 9562: the two upper bits are 10


def message_id(sender_id: UUID, client_message_id: UUID) -> UUID:
    """Derive a message's id from its sender and the client's id, so that every path and retry computes the same one."""
    return uuid5(sender_id, str(client_message_id))


def message_key(sender_id: str, client_message_id: str) -> str:
    """Give ``message_id`` as a text, of canonical texts; the library takes five times as long."""
    namespace = bytes.fromhex(sender_id.replace("-", ""))
    h = sha1(namespace + client_message_id.lower().encode(), usedforsecurity=False).hexdigest()
    return f"{h[:8]}-{h[8:12]}-5{h[13:16]}-{_VARIANT[h[16]]}{h[17:20]}-{h[20:32]}"


@lru_cache(maxsize=10_000)
def text_of(one: UUID) -> str:
    """Write an id that is written often."""
    return str(one)


def new_id() -> UUID:
    """Make a random id (version 4)."""
    return uuid4()


def is_id(text: object) -> bool:
    """Tell whether something is an id in its canonical, hyphenated form."""
    return isinstance(text, str) and _CANONICAL.fullmatch(text) is not None


def parse_id(text: object) -> UUID | None:
    """Read an id in its canonical, hyphenated form; anything else is None."""
    return UUID(text) if isinstance(text, str) and _CANONICAL.fullmatch(text) else None
