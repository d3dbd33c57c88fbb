"""What those who look after an installation see: its people, its public rooms, its size. No content of any conversation."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from app.kernel import clock
from app.models import Transaction

PEOPLE = text(
    "SELECT p.id, p.username, p.display_name, p.avatar_url, p.created_at, p.disabled_at, u.email, u.role, s.last_seen_at"
    "  FROM users u JOIN profiles p ON p.id = u.profile_id LEFT JOIN user_presence s ON s.profile_id = p.id"
    " WHERE lower(p.username) > :after AND (:q = '' OR lower(p.username) LIKE :pattern"
    "   OR lower(p.display_name) LIKE :pattern OR lower(u.email) LIKE :pattern)"
    " ORDER BY lower(p.username) LIMIT :limit"
)
# Private conversations are counted, never named.
ROOMS = text(
    "SELECT id, slug, title, topic, member_count, head_seq, active_at FROM conversations"
    " WHERE kind = 'room' AND visibility = 'public' AND deleted_at IS NULL ORDER BY active_at DESC, id LIMIT :limit"
)
# The planner's estimate for messages: counting millions of rows for a page would be dear.
FIGURES = text(
    "SELECT (SELECT count(*) FROM users u JOIN profiles p ON p.id = u.profile_id WHERE p.disabled_at IS NULL) AS people,"
    " (SELECT count(*) FROM customers) AS customers,"
    " (SELECT count(*) FROM conversations WHERE deleted_at IS NULL AND kind = 'direct') AS direct,"
    " (SELECT count(*) FROM conversations WHERE deleted_at IS NULL AND kind = 'group') AS groups,"
    " (SELECT count(*) FROM conversations WHERE deleted_at IS NULL AND kind = 'room') AS rooms,"
    " (SELECT count(*) FROM conversations WHERE deleted_at IS NULL AND kind = 'support') AS support,"
    " (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'messages'::regclass) AS messages,"
    " (SELECT count(*) FROM dead_letters) AS dead_letters"
)


def people(tx: Transaction, *, q: str, limit: int, after: str) -> tuple[list[dict[str, Any]], str | None]:
    """List the accounts by username, closed ones too; ``q`` is part of a name or address."""
    escaped = q.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = tx.execute(PEOPLE, {"q": q, "pattern": f"%{escaped}%", "after": after, "limit": limit + 1}).all()
    following = rows[limit - 1].username.lower() if len(rows) > limit else None
    return [_account(row) for row in rows[:limit]], following


def _account(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "username": row.username,
        "displayName": row.display_name,
        "avatarUrl": row.avatar_url,
        "email": row.email,
        "role": row.role,
        "createdAt": clock.wire(row.created_at),
        "disabledAt": clock.wire(row.disabled_at) if row.disabled_at else None,
        "lastSeenAt": clock.wire(row.last_seen_at) if row.last_seen_at else None,
    }


def figures(tx: Transaction) -> dict[str, int]:
    """Count what there is; messages as the database estimates them."""
    return dict(tx.execute(FIGURES).mappings().one())


def rooms(tx: Transaction, *, limit: int) -> list[dict[str, Any]]:
    """List the public rooms, the latest active first."""
    return [
        {
            "id": str(row.id),
            "slug": row.slug,
            "title": row.title or row.slug,
            "topic": row.topic,
            "memberCount": row.member_count,
            "headSeq": row.head_seq,
            "activeAt": clock.wire(row.active_at),
        }
        for row in tx.execute(ROOMS, {"limit": limit})
    ]
