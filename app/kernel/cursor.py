"""List cursors: opaque to the client, a place in an order to us."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from uuid import UUID

from app.kernel import text
from app.kernel.errors import Invalid


def _bad() -> Invalid:
    return Invalid({"cursor": ["is not one that this list gave"]})


def of_text(place: str | None) -> str | None:
    """Write a place that is a word (a slug, a username)."""
    return None if place is None else _write([place])


def of_instant(place: tuple[datetime, UUID] | None) -> str | None:
    """Write a place in an order by (instant, id)."""
    return None if place is None else _write([place[0].isoformat(), str(place[1])])


def to_text(cursor: str | None) -> str:
    """Read what ``of_text`` wrote; raises Invalid."""
    if cursor is None:
        return ""
    try:
        return text.storable(_read(cursor, 1)[0])
    except ValueError as error:
        raise _bad() from error


def to_instant(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Read what ``of_instant`` wrote; raises Invalid."""
    if cursor is None:
        return None
    at, last_id = _read(cursor, 2)
    try:
        instant = datetime.fromisoformat(at)
        if instant.tzinfo is None:
            raise _bad()
        return instant, UUID(last_id)
    except ValueError as error:
        raise _bad() from error


def _write(parts: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _read(cursor: str, count: int) -> list[str]:
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error) as error:
        raise _bad() from error
    if not isinstance(parts, list) or len(parts) != count or not all(isinstance(part, str) for part in parts):
        raise _bad()
    return parts
