"""People as others see them, and accounts as their owner does."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.kernel import clock
from app.models import Transaction

ACCOUNT = text(
    "SELECT p.id, p.kind, p.username, p.display_name, p.avatar_url, p.created_at, u.email, u.role"
    "  FROM profiles p JOIN users u ON u.profile_id = p.id WHERE p.id = :id"
)
PERSON = text(
    "SELECT id, username, display_name, avatar_url FROM profiles"
    " WHERE lower(username) = lower(:username) AND disabled_at IS NULL"
)
SEARCH = text(
    "SELECT id, username, display_name, avatar_url FROM profiles"
    " WHERE kind IN ('user', 'bot') AND disabled_at IS NULL AND lower(username) > :after"
    "   AND (lower(username) LIKE :prefix OR lower(display_name) LIKE :prefix OR lower(display_name) LIKE :word)"
    " ORDER BY lower(username) LIMIT :limit"
)


def account(tx: Transaction, profile_id: UUID) -> dict[str, Any] | None:
    """Read someone's own account."""
    row = tx.execute(ACCOUNT, {"id": profile_id}).one_or_none()
    if row is None:
        return None
    return {**_person(row), "email": row.email, "role": row.role, "createdAt": clock.wire(row.created_at)}


def by_username(tx: Transaction, username: str) -> dict[str, Any] | None:
    """Read a person by username, whatever the case."""
    row = tx.execute(PERSON, {"username": username}).one_or_none()
    return _person(row) if row else None


def search(tx: Transaction, *, q: str, limit: int, after: str) -> tuple[list[dict[str, Any]], str | None]:
    """Find people whose username or a word of whose name begins with ``q``; by username."""
    prefix = q.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    values = {"after": after, "prefix": prefix, "word": "% " + prefix, "limit": limit + 1}
    rows = tx.execute(SEARCH, values).all()
    following = rows[limit - 1].username.lower() if len(rows) > limit else None
    return [_person(row) for row in rows[:limit]], following


def _person(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "username": row.username,
        "displayName": row.display_name,
        "avatarUrl": row.avatar_url,
    }
