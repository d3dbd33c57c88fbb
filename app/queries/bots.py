"""Bots as admins see them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.kernel import clock
from app.models import Transaction

BOTS = """
SELECT p.id, p.username, p.display_name, p.avatar_url, p.created_at, p.disabled_at,
       (SELECT json_agg(json_build_object('id', t.id, 'name', t.name, 'at', t.expires_at) ORDER BY t.created_at, t.id)
          FROM api_tokens t WHERE t.profile_id = p.id AND t.revoked_at IS NULL
           AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())) AS tokens
  FROM profiles p WHERE p.kind = 'bot'
"""
ONE = text(BOTS + " AND p.id = :id")
LIST = text(BOTS + " AND p.disabled_at IS NULL AND lower(p.username) > :after ORDER BY lower(p.username) LIMIT :limit")


def one(tx: Transaction, bot_id: UUID) -> dict[str, Any] | None:
    """Read a bot."""
    row = tx.execute(ONE, {"id": bot_id}).one_or_none()
    return _view(row) if row else None


def find(tx: Transaction, *, limit: int, after: str) -> tuple[list[dict[str, Any]], str | None]:
    """List the bots by username."""
    rows = tx.execute(LIST, {"after": after, "limit": limit + 1}).all()
    return [_view(row) for row in rows[:limit]], rows[limit - 1].username.lower() if len(rows) > limit else None


def _view(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "username": row.username,
        "displayName": row.display_name,
        "avatarUrl": row.avatar_url,
        "createdAt": clock.wire(row.created_at),
        "disabledAt": clock.wire(row.disabled_at) if row.disabled_at else None,
        "apiTokens": [_token(one) for one in row.tokens or []],
    }


def _token(one: dict[str, Any]) -> dict[str, Any]:
    expires_at = clock.wire(clock.parse(one["at"])) if one["at"] else None
    return {"id": one["id"], "name": one["name"], "expiresAt": expires_at}
