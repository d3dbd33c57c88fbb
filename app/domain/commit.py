"""``apply``: the one way a message gets into the database, whether from the log (behind) or straight (through).

In one transaction: lock the touched conversations in id order, leave out what is there, give each new message the next
position, insert, move the heads. Only here, and in the changes of ``domain/changes.py``, are positions given, under the
conversation's row lock: so commit order is position order and there are no holes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.domain import attachments, dead_letters, gate, mentions
from app.domain.batches import Outcome, Submission
from app.kernel.actor import SYSTEM
from app.kernel.errors import Held, Invalid, Unavailable
from app.kernel.events import MessageEvent
from app.models import Transaction, transaction
from app.models.transaction import is_temporary, sqlstate
from app.queries import messages as message_views

LOCK = text("SELECT id, head_seq FROM conversations WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE")
ROOTS = text("SELECT id, reply_count FROM messages WHERE id = ANY(CAST(:ids AS uuid[]))")
INSERT = text(
    "INSERT INTO messages (id, conversation_id, seq, changed_seq, sender_id, sender_type, client_message_id, content,"
    " message_type, created_at, reply_to_id, thread_root_id, root_reply_count, attachment_count, metadata, through)"
    " SELECT id, conversation_id, seq, seq, sender_id, sender_type, client_message_id, content, message_type, created_at,"
    " reply_to_id, thread_root_id, root_reply_count, attachment_count, metadata, through FROM unnest(CAST(:id AS uuid[]),"
    " CAST(:conversation_id AS uuid[]), CAST(:seq AS bigint[]), CAST(:sender_id AS uuid[]), CAST(:sender_type AS text[]),"
    " CAST(:client_message_id AS uuid[]), CAST(:content AS text[]), CAST(:message_type AS text[]),"
    " CAST(:created_at AS timestamptz[]), CAST(:reply_to_id AS uuid[]), CAST(:thread_root_id AS uuid[]),"
    " CAST(:root_reply_count AS integer[]),"
    " CAST(:attachment_count AS smallint[]), CAST(:metadata AS jsonb[]), CAST(:through AS boolean[]))"
    " AS new(id, conversation_id, seq, sender_id,"
    " sender_type, client_message_id, content, message_type, created_at, reply_to_id, thread_root_id, root_reply_count,"
    " attachment_count, metadata, through) ON CONFLICT DO NOTHING"
)
MOVE_HEADS = text(
    "UPDATE conversations c SET head_seq = moved.head, active_at = clock_timestamp(), updated_at = clock_timestamp(),"
    " status = CASE WHEN reopened THEN 'open' ELSE status END, version = version + CASE WHEN reopened THEN 1 ELSE 0 END"
    " FROM (SELECT m.id, m.head, (m.by_customer AND o.status = 'resolved') IS TRUE AS reopened FROM unnest("
    " CAST(:ids AS uuid[]), CAST(:heads AS bigint[]), CAST(:by_customer AS boolean[])) AS m(id, head, by_customer)"
    " JOIN conversations o ON o.id = m.id) AS moved WHERE c.id = moved.id"
)
COUNT_REPLY = text("UPDATE messages SET reply_count = :count, changed_seq = :position WHERE id = :id")
SENDERS = text("SELECT id, username, display_name, avatar_url FROM profiles WHERE id = ANY(CAST(:ids AS uuid[]))")
ATTEMPTS = 5
LOCK_WAIT_MS = 400
LOCK_WAIT_APART_MS = 50
CONTENT_CLASSES = ("22", "23")
DRAIN_LOCK = 7_031_986_001
TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)")
END_HOLDER = text(
    "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.pid <> pg_backend_pid()"
    " AND a.xact_start < clock_timestamp() - interval '2 seconds'"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND (l.classid::bigint << 32) + l.objid::bigint = :key"
)


class Busy(Exception):
    """Another process is draining just now; two at once would do the work twice, and nothing else."""


class RaceLost(Exception):
    """Another process committed one of these messages under another conversation's lock: run the whole batch again."""


def apply(
    submissions: Sequence[Submission], *, alone: bool = False, shard: int = 0, lock_wait_ms: int = LOCK_WAIT_MS
) -> Outcome:
    """Commit a batch; raises Unavailable where the database is away, and then nothing of it is committed.

    With ``alone`` it raises Busy where another process commits alone in this shard of the log (the drain: it would only repeat
    the other's work).
    """
    for _ in range(ATTEMPTS):
        try:
            with transaction(SYSTEM, lock_wait_ms=lock_wait_ms) as tx:
                if alone and not tx.execute(TRY_LOCK, {"key": DRAIN_LOCK + shard}).scalar_one():
                    raise Busy
                return _apply(tx, submissions)
        except RaceLost:
            continue
    raise Unavailable("The same message is being committed elsewhere.")


def apply_what_is_free(submissions: Sequence[Submission], *, alone: bool = False, shard: int = 0) -> Outcome:
    """Commit a batch, but for conversations of which somebody else holds a row: those are named in the outcome.

    So one row that is held from outside does not keep all the others waiting. Raises what ``apply`` does, but for Held.
    """
    try:
        return apply(submissions, alone=alone, shard=shard)
    except Held:
        pass
    outcome = Outcome()
    for part in _by_conversation(submissions):
        try:
            outcome.take_in(apply(part, alone=alone, shard=shard, lock_wait_ms=LOCK_WAIT_APART_MS))
        except (
            Unavailable
        ):  # held, or the database went away meanwhile: what came before is committed, and must be told
            outcome.held.add(part[0].event["conversationId"])
    return outcome


def _by_conversation(submissions: Sequence[Submission]) -> list[list[Submission]]:
    parts: dict[str, list[Submission]] = {}
    for s in submissions:
        parts.setdefault(s.event["conversationId"], []).append(s)
    return list(parts.values())


def end_silent_holder(shard: int = 0) -> None:
    """End the database session of a process that commits alone and does not come to an end (stopped, or cut off)."""
    with transaction(SYSTEM) as tx:
        tx.execute(END_HOLDER, {"key": DRAIN_LOCK + shard})


def _apply(tx: Transaction, submissions: Sequence[Submission]) -> Outcome:
    outcome = Outcome()
    distinct = {s.event["id"]: s for s in reversed(submissions)}
    ordered = [s for s in submissions if distinct[s.event["id"]] is s]
    heads = _lock(tx, ordered)
    known = gate.known(tx, ordered)
    fresh, lost = gate.pick(tx, ordered, heads, known, outcome)
    for s in lost:
        _bury(tx, s, "", "the conversation does not exist", outcome)
    try:
        with tx.session.begin_nested():
            _insert(tx, fresh, heads, outcome)
    except (DBAPIError, ValueError, KeyError, TypeError) as error:
        _forget(outcome)
        _one_by_one(tx, fresh, error, outcome)
    already = [s.event["id"] for s in ordered if UUID(s.event["id"]) in known and s.event["id"] not in outcome.refused]
    outcome.already = message_views.by_ids(tx, already) if already else []
    return outcome


def _lock(tx: Transaction, submissions: Sequence[Submission]) -> dict[UUID, int]:
    ids = sorted({s.event["conversationId"] for s in submissions})
    rows = tx.execute(LOCK, {"ids": ids}).all()
    return {row.id: row.head_seq for row in rows}


def _insert(tx: Transaction, fresh: Sequence[Submission], heads: dict[UUID, int], outcome: Outcome) -> None:
    if not fresh:
        return
    moved = dict(heads)
    replies = _reply_counts(tx, fresh)
    rows = []
    for s in fresh:
        target = UUID(s.event["conversationId"])
        moved[target] += 1
        root = s.event["threadRootId"]
        if root:
            replies[root] = replies.get(root, 0) + 1
        rows.append(
            {
                **s.event,
                "seq": moved[target],
                "rootReplyCount": replies[root] if root else None,
                "attachments": s.event.get("attachments", []),
            }
        )
    if tx.change(INSERT, _columns(rows, [s.gated for s in fresh])) != len(rows):
        raise RaceLost
    attachments.place(tx, rows)
    named = mentions.record(tx, rows)
    changed = {target: head for target, head in moved.items() if head != heads[target]}
    by_customer = {row["conversationId"] for row in rows if row["senderType"] == "customer"}
    ids = [str(one) for one in changed]
    heads_of = {"ids": ids, "heads": list(changed.values()), "by_customer": [one in by_customer for one in ids]}
    tx.change(MOVE_HEADS, heads_of)
    finals, roots = _finals(tx, rows, named), _count_replies(tx, rows)  # either may still be refused
    outcome.created += finals
    outcome.roots += roots
    heads.update(moved)


def _reply_counts(tx: Transaction, fresh: Sequence[Submission]) -> dict[str, int]:
    roots = sorted({s.event["threadRootId"] for s in fresh if s.event["threadRootId"]})
    return {str(row.id): row.reply_count for row in tx.execute(ROOTS, {"ids": roots})} if roots else {}


def _count_replies(tx: Transaction, rows: Sequence[dict[str, Any]]) -> list[MessageEvent]:
    newest = {row["threadRootId"]: row for row in rows if row["threadRootId"]}
    for root, row in newest.items():
        tx.change(COUNT_REPLY, {"id": root, "count": row["rootReplyCount"], "position": row["seq"]})
    return message_views.by_ids(tx, newest) if newest else []


def _columns(rows: Sequence[dict[str, Any]], through: list[bool]) -> dict[str, list[Any]]:
    def column(name: str) -> list[Any]:
        return [row[name] for row in rows]

    return {
        "id": column("id"),
        "conversation_id": column("conversationId"),
        "seq": column("seq"),
        "sender_id": column("senderId"),
        "sender_type": column("senderType"),
        "client_message_id": column("clientMessageId"),
        "content": column("content"),
        "message_type": column("messageType"),
        "created_at": column("createdAt"),
        "reply_to_id": column("replyToId"),
        "thread_root_id": column("threadRootId"),
        "root_reply_count": column("rootReplyCount"),
        "attachment_count": [len(row["attachments"]) for row in rows],
        "through": through,
        "metadata": [orjson.dumps(row["metadata"]).decode() for row in rows],
    }


def _finals(tx: Transaction, rows: Sequence[dict[str, Any]], named: dict[str, list[str]]) -> list[MessageEvent]:
    senders = {str(p.id): p for p in tx.execute(SENDERS, {"ids": sorted({row["senderId"] for row in rows})})}
    return [_final(row, senders[row["senderId"]], named.get(row["id"], [])) for row in rows]


def _final(row: dict[str, Any], sender: Any, named: list[str]) -> MessageEvent:
    final: Any = {
        **row,
        "changedSeq": row["seq"],
        "sender": {
            "id": row["senderId"],
            "username": sender.username,
            "displayName": sender.display_name,
            "avatarUrl": sender.avatar_url,
        },
        "mentions": named,
        "persisted": True,
    }
    return cast("MessageEvent", final)


def _one_by_one(tx: Transaction, fresh: Sequence[Submission], error: Exception, outcome: Outcome) -> None:
    """Find the entries that the database refuses for their content; any other error is the whole batch's."""
    _raise_unless_content(error)
    heads = _lock(tx, fresh)
    for s in fresh:
        try:
            with tx.session.begin_nested():
                _insert(tx, [s], heads, outcome)
        except (DBAPIError, ValueError, KeyError, TypeError) as refusal:
            _raise_unless_content(refusal)
            state = sqlstate(refusal) if isinstance(refusal, DBAPIError) else ""
            _bury(tx, s, state, str(getattr(refusal, "orig", refusal)).strip().split("\n")[0], outcome)


def _raise_unless_content(error: Exception) -> None:
    if isinstance(error, DBAPIError) and (is_temporary(error) or sqlstate(error)[:2] not in CONTENT_CLASSES):
        raise error


def _bury(tx: Transaction, s: Submission, state: str, reason: str, outcome: Outcome) -> None:
    event = s.event
    outcome.refused[event["id"]] = Invalid({"content": ["could not be stored"]})
    outcome.buried.append(event)
    dead_letters.keep(tx, event, sqlstate=state, reason=reason)


def _forget(outcome: Outcome) -> None:
    outcome.created.clear()
    outcome.roots.clear()
