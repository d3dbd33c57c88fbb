"""``apply``: the one way a message gets into the database, whether from the log (behind) or straight (through).

In one transaction: lock the touched conversations in id order, leave out what is there, give each new message the next
position, insert, move the heads and commit: two questions to the database, however many messages. Only here, and in the
changes of ``domain/changes.py``, are positions given, under the conversation's row lock: so commit order is position order
and there are no holes.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.domain import attachments, dead_letters, gate, mentions
from app.domain.batches import Outcome, Submission
from app.kernel import json
from app.kernel.actor import SYSTEM
from app.kernel.errors import Held, Invalid, Unavailable
from app.kernel.events import MessageEvent
from app.models import Transaction, transaction
from app.models.arrays import array
from app.models.transaction import is_temporary, sqlstate
from app.queries import messages as message_views

ROOTS = text("SELECT id, reply_count FROM messages WHERE id = ANY(CAST(:ids AS uuid[]))")
WRITE = text(
    "SELECT parley_write_batch(CAST(:batch AS json), CAST(:direct AS uuid[]), CAST(:targets AS uuid[]),"
    " CAST(:positions AS bigint[]), CAST(:by_customers AS boolean[]))"
)
COUNT_REPLY = text("UPDATE messages SET reply_count = :count, changed_seq = :position WHERE id = :id")
ATTEMPTS = 5
LOCK_WAIT_MS = 400
LOCK_WAIT_APART_MS = 50
CONTENT_CLASSES = ("22", "23")
IS_THERE = "23505"
DRAIN_LOCK = 7_031_986_001
END_HOLDER = text(
    "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.pid <> pg_backend_pid()"
    " AND a.xact_start < clock_timestamp() - interval '2 seconds'"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND (l.classid::bigint << 32) + l.objid::bigint = :key"
)


class RaceLost(Exception):
    """Another process committed one of these messages under another conversation's lock: run the whole batch again."""


class Refused(Exception):
    """The database refuses something of a batch for its content: run it again, one by one."""


def apply(
    submissions: Sequence[Submission], *, alone: bool = False, shard: int = 0, lock_wait_ms: int = LOCK_WAIT_MS
) -> Outcome:
    """Commit a batch; raises Unavailable where the database is away, and then nothing of it is committed.

    With ``alone`` it raises Busy where another process commits alone in this shard of the log (the drain: it would only repeat
    the other's work).
    """
    one_by_one = False
    for _ in range(ATTEMPTS):
        try:
            with transaction(SYSTEM, lock_wait_ms=lock_wait_ms) as tx:
                return _apply(tx, submissions, turn=DRAIN_LOCK + shard if alone else None, one_by_one=one_by_one)
        except RaceLost:
            continue
        except Refused:
            one_by_one = True
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


def _apply(tx: Transaction, submissions: Sequence[Submission], *, turn: int | None, one_by_one: bool) -> Outcome:
    outcome = Outcome()
    distinct = {s.event["id"]: s for s in reversed(submissions)}
    ordered = [s for s in submissions if distinct[s.event["id"]] is s]
    found = gate.open_batch(tx, ordered, turn=turn)
    fresh, lost = gate.pick(ordered, found, outcome)
    for s in lost:
        _bury(tx, s, "", "the conversation does not exist", outcome)
    already = [s.event["id"] for s in ordered if s.event["id"] in found.known and s.event["id"] not in outcome.refused]
    if one_by_one:
        _insert_one_by_one(tx, fresh, found, outcome)
    else:
        _insert_all(tx, fresh, found, outcome, is_last=not already)
    outcome.already = message_views.by_ids(tx, already) if already else []
    return outcome


def _insert_all(
    tx: Transaction, fresh: Sequence[Submission], found: gate.Standing, outcome: Outcome, *, is_last: bool
) -> None:
    try:
        _insert(tx, fresh, found, outcome, is_last=is_last)
    except (DBAPIError, ValueError, KeyError, TypeError) as error:
        _raise_unless_content(error)
        raise Refused from error


def _insert(
    tx: Transaction, fresh: Sequence[Submission], found: gate.Standing, outcome: Outcome, *, is_last: bool
) -> None:
    if not fresh:
        return
    moved = dict(found.heads)
    replies = _reply_counts(tx, fresh)
    rows: list[MessageEvent] = []
    for s in fresh:
        event = s.event
        target, root = event["conversationId"], event["threadRootId"]
        moved[target] = seq = moved[target] + 1
        if root:
            replies[root] = replies.get(root, 0) + 1
        rows.append(
            {
                **event,
                "seq": seq,
                "changedSeq": seq,
                "sender": found.people.get(event["senderId"], event["sender"]),
                "rootReplyCount": replies[root] if root else None,
                "attachments": event.get("attachments", []),
                "mentions": [],
                "persisted": True,
            }
        )
    words = mentions.words(rows)
    has_more = bool(words or replies or any(row["attachments"] for row in rows))
    encoded = [json.dump_bytes(row) for row in rows]
    direct = array(s.event["id"] for s in fresh if s.gated)
    _write(tx, encoded, {"direct": direct, **_moves(rows, found.heads, moved)}, is_last=is_last and not has_more)
    if has_more:
        attachments.place(tx, rows)
        for message_id, named in mentions.record(tx, words).items():
            next(row for row in rows if row["id"] == message_id)["mentions"] = named
        roots = _count_replies(tx, rows)  # may still be refused
        encoded = [json.dump_bytes(row) for row in rows]
        outcome.roots += roots
    outcome.created += rows
    outcome.encoded += encoded
    found.heads.update(moved)


def _write(tx: Transaction, encoded: list[bytes], values: dict[str, str], *, is_last: bool) -> None:
    values["batch"] = f"[{b','.join(encoded).decode()}]"
    try:
        (tx.finish if is_last else tx.execute)(WRITE, values)
    except DBAPIError as error:
        if sqlstate(error) == IS_THERE:
            raise RaceLost from error
        raise


def _moves(rows: Sequence[MessageEvent], heads: dict[str, int], moved: dict[str, int]) -> dict[str, str]:
    by_customer = {row["conversationId"] for row in rows if row["senderType"] == "customer"}
    ids = [one for one, head in moved.items() if head != heads[one]]
    return {
        "targets": array(ids),
        "positions": array(moved[one] for one in ids),
        "by_customers": array(one in by_customer for one in ids),
    }


def _reply_counts(tx: Transaction, fresh: Sequence[Submission]) -> dict[str, int]:
    roots = sorted({s.event["threadRootId"] for s in fresh if s.event["threadRootId"]})
    return {str(row.id): row.reply_count for row in tx.execute(ROOTS, {"ids": roots})} if roots else {}


def _count_replies(tx: Transaction, rows: Sequence[MessageEvent]) -> list[MessageEvent]:
    newest = {row["threadRootId"]: row for row in rows if row["threadRootId"]}
    for root, row in newest.items():
        tx.change(COUNT_REPLY, {"id": root, "count": row["rootReplyCount"], "position": row["seq"]})
    return message_views.by_ids(tx, newest) if newest else []


def _insert_one_by_one(tx: Transaction, fresh: Sequence[Submission], found: gate.Standing, outcome: Outcome) -> None:
    """Set aside what the database refuses for its content; any other error is the whole batch's."""
    for s in fresh:
        try:
            with tx.savepoint():
                _insert(tx, [s], found, outcome, is_last=False)
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
