"""Customers as staff see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.kernel import clock
from app.models import Transaction

COLUMNS = "p.id, p.display_name, p.avatar_url, c.email, c.external_id, c.metadata, c.created_at"
ONE = text(f"SELECT {COLUMNS} FROM customers c JOIN profiles p ON p.id = c.profile_id WHERE p.id = :id")
LIST = text(
    f"SELECT {COLUMNS} FROM customers c JOIN profiles p ON p.id = c.profile_id"
    " WHERE (:q = '' OR lower(p.display_name) LIKE :pattern OR lower(c.email) LIKE :pattern OR c.external_id = :q)"
    " AND (CAST(:at AS timestamptz) IS NULL OR (c.created_at, p.id) > (:at, CAST(:id AS uuid)))"
    " ORDER BY c.created_at, p.id LIMIT :limit"
)


def one(tx: Transaction, customer_id: UUID) -> dict[str, Any] | None:
    """Read a customer."""
    row = tx.execute(ONE, {"id": customer_id}).one_or_none()
    return _view(row) if row else None


def find(
    tx: Transaction, *, q: str, limit: int, after: tuple[datetime, UUID] | None
) -> tuple[list[dict[str, Any]], tuple[datetime, UUID] | None]:
    """List customers, oldest first; ``q`` is part of a name or address, or an external id."""
    at, last_id = after or (None, None)
    pattern = "%" + q.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = tx.execute(LIST, {"q": q, "pattern": pattern, "at": at, "id": last_id, "limit": limit + 1}).all()
    following = (rows[limit - 1].created_at, rows[limit - 1].id) if len(rows) > limit else None
    return [_view(row) for row in rows[:limit]], following


def _view(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "displayName": row.display_name,
        "avatarUrl": row.avatar_url,
        "email": row.email,
        "externalId": row.external_id,
        "metadata": row.metadata,
        "createdAt": clock.wire(row.created_at),
    }
