"""Who a message names: ``@username`` of a member of its conversation."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from app.kernel.events import MessageEvent
from app.kernel.text import mentioned_usernames
from app.models import Transaction

NAMED = text(
    "SELECT asked.message_id, p.id AS profile_id FROM unnest(CAST(:messages AS uuid[]), CAST(:conversations AS uuid[]),"
    " CAST(:usernames AS text[])) AS asked(message_id, conversation_id, username)"
    " JOIN profiles p ON lower(p.username) = asked.username"
    " JOIN memberships me ON me.conversation_id = asked.conversation_id AND me.profile_id = p.id AND me.left_at IS NULL"
    " ORDER BY p.id"
)
INSERT = text(
    "INSERT INTO mentions (message_id, profile_id, conversation_id, seq) SELECT * FROM unnest(CAST(:messages AS uuid[]),"
    " CAST(:profiles AS uuid[]), CAST(:conversations AS uuid[]), CAST(:seqs AS bigint[])) ON CONFLICT DO NOTHING"
)
Word = tuple[MessageEvent, str]
FORGET = text("DELETE FROM mentions WHERE message_id = :message_id")


def words(rows: Sequence[MessageEvent]) -> list[Word]:
    """List the words in these messages that may name somebody."""
    return [(row, name) for row in rows if "@" in row["content"] for name in mentioned_usernames(row["content"])[:50]]


def record(tx: Transaction, asked: Sequence[Word]) -> dict[str, list[str]]:
    """Store whom these words name (of rows with id, conversationId and seq): profile ids by message id."""
    if not asked:
        return {}
    found = tx.execute(
        NAMED,
        {
            "messages": [row["id"] for row, _ in asked],
            "conversations": [row["conversationId"] for row, _ in asked],
            "usernames": [username for _, username in asked],
        },
    ).all()
    named: dict[str, list[str]] = {}
    for row in found:
        named.setdefault(str(row.message_id), []).append(str(row.profile_id))
    _store(tx, {row["id"]: row for row, _ in asked}, named)
    return named


def forget(tx: Transaction, message_id: str) -> None:
    """Forget whom a message names."""
    tx.change(FORGET, {"message_id": message_id})


def rewrite(tx: Transaction, row: MessageEvent) -> None:
    """Store anew whom an edited message names."""
    forget(tx, row["id"])
    record(tx, words([row]))


def _store(tx: Transaction, rows: dict[str, MessageEvent], named: dict[str, list[str]]) -> None:
    pairs = [(rows[message_id], profile_id) for message_id, profiles in named.items() for profile_id in profiles]
    if pairs:
        tx.change(
            INSERT,
            {
                "messages": [row["id"] for row, _ in pairs],
                "profiles": [profile_id for _, profile_id in pairs],
                "conversations": [row["conversationId"] for row, _ in pairs],
                "seqs": [row["seq"] for row, _ in pairs],
            },
        )
