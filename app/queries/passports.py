"""What is known of one message's way: when it was accepted and committed, who has it since when, and what failed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.kernel import clock
from app.models import Transaction

SHOWN = 1000
MADE = text("SELECT created_at, committed_at, through, seq FROM messages WHERE id = :id")
READERS = text(
    "SELECT d.delivered_at, d.read_at, d.status, p.id, p.kind, p.display_name FROM message_delivery_status d"
    " JOIN profiles p ON p.id = d.recipient_id WHERE d.message_id = :id AND d.status IN ('delivered', 'read')"
    f" ORDER BY COALESCE(d.delivered_at, d.read_at), p.id LIMIT {SHOWN + 1}"
)
FAILURES = text(
    "SELECT f.path, f.reason, f.failed_at, p.id, p.kind, p.display_name FROM delivery_failures f"
    " JOIN profiles p ON p.id = f.recipient_id WHERE f.message_id = :id ORDER BY f.failed_at, p.id LIMIT 200"
)
# A letter names the positions that it covers; who had read by then was not written to about this.
MAILED = text(
    "SELECT l.ended_at, p.id, p.kind, p.display_name FROM messages m JOIN memberships me"
    " ON me.conversation_id = m.conversation_id AND me.profile_id <> m.sender_id JOIN profiles p ON p.id = me.profile_id"
    " JOIN letters l ON l.profile_id = p.id AND l.kind = 'digest' AND l.state = 'sent' AND l.created_at >= m.created_at"
    " WHERE m.id = :id AND (m.sender_id = :me OR p.id = :me)"
    " AND CAST(l.subject -> 'ranges' -> m.conversation_id::text ->> 0 AS bigint) < m.seq"
    " AND CAST(l.subject -> 'ranges' -> m.conversation_id::text ->> 1 AS bigint) >= m.seq"
    " AND NOT EXISTS (SELECT 1 FROM read_marks r WHERE r.conversation_id = m.conversation_id AND r.profile_id = p.id"
    "   AND r.up_to_seq >= m.seq AND r.read_at < l.ended_at) ORDER BY l.ended_at, p.id LIMIT 200"
)
Entry = dict[str, Any]


def timeline(tx: Transaction, message_id: UUID) -> tuple[list[Entry], bool]:
    """List what happened to a message, oldest first; gives with it whether there are more readers than are shown.

    What came at a time that is no longer known stands last. Mails and failures are the sender's and the recipient's to see.
    """
    made = tx.execute(MADE, {"id": message_id}).one()
    readers = tx.execute(READERS, {"id": message_id}).all()
    path = None if made.through is None else "through" if made.through else "behind"
    made_of = [
        _entry("accepted", made.created_at, path=path),
        _entry("committed", made.committed_at, seq=made.seq),
    ]
    since = [_entry("delivered", row.delivered_at, person=row) for row in readers[:SHOWN]]
    since += [_entry("read", row.read_at, person=row) for row in readers[:SHOWN] if row.status == "read"]
    since += [
        _entry("failed", row.failed_at, person=row, path=row.path, reason=row.reason)
        for row in tx.execute(FAILURES, {"id": message_id})
    ]
    with tx.elevated():  # letters are Parley's own
        mailed = tx.execute(MAILED, {"id": message_id, "me": tx.actor.id}).all()
    since += [_entry("mailed", row.ended_at, person=row, path="mail") for row in mailed]
    since.sort(key=lambda entry: (entry["at"] is None, entry["at"] or ""))
    return made_of + since, len(readers) > SHOWN


def _entry(what: str, at: Any, *, person: Any = None, **more: Any) -> Entry:
    who = {"id": str(person.id), "kind": person.kind, "displayName": person.display_name} if person else None
    known = {"seq": None, "path": None, "reason": None, **more}
    return {"event": what, "at": clock.wire(at) if at else None, "person": who, **known}
