"""How PostgreSQL answers the hot questions: by an index, under the same row security as in life, never by reading a table."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg2
import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.orm import Session

from app.domain import accepting, access, arrivals, commit, delivery, gate, healing, relay, support
from app.domain.batches import Submission
from app.extensions import session_options
from app.kernel import json
from app.kernel.actor import SYSTEM, Actor
from app.kernel.events import MessageEvent
from app.models.arrays import array
from app.models.transaction import CONTEXT, Transaction
from app.queries import conversations, messages, missed, search, unread
from bench import people
from tests.support.stack import environment, fresh_database

ROOMS, MEMBERS, EACH = 150, 6, 200
FILL = """
    INSERT INTO messages (id, conversation_id, seq, changed_seq, sender_id, sender_type, client_message_id, content,
        message_type, created_at, metadata)
      SELECT gen_random_uuid(), c.id, n, n, c.created_by, 'user', gen_random_uuid(), 'line ' || n, 'text', now(), '{}'
        FROM conversations c, generate_series(1, %s) n;
    UPDATE conversations SET head_seq = %s;
    INSERT INTO reactions (message_id, emoji, profile_id, conversation_id, created_at)
      SELECT id, '+1', sender_id, conversation_id, now() FROM messages WHERE seq %% 3 = 0;
    INSERT INTO mentions (message_id, profile_id, conversation_id, seq)
      SELECT id, sender_id, conversation_id, seq FROM messages WHERE seq %% 3 = 1;
    INSERT INTO attachments (id, uploader_id, conversation_id, message_id, position, name, content_type, bytes, sha256,
        has_thumbnail, created_at, claimed_at)
      SELECT gen_random_uuid(), sender_id, conversation_id, id, 0, 'a', 'x', 1, '', false, now(), now()
        FROM messages WHERE seq %% 3 = 2;
    INSERT INTO found_messages
      SELECT id, conversation_id, seq, created_at, ARRAY['lin', 'ine', 'w' || seq] FROM messages;
    INSERT INTO dead_letters (message_id, entry, sqlstate, reason, created_at)
      SELECT gen_random_uuid(), '{}', '22000', 'refused', now() FROM generate_series(1, 2000);
    ANALYZE"""


@pytest.fixture(scope="module")
def filled(services: dict[str, str], template: str) -> Iterator[tuple[Connection, people.Crowd]]:
    """A database with messages enough that reading a table whole would be seen to cost more."""
    yield from _database(services, template, rooms=ROOMS, each=EACH)


@pytest.fixture(scope="module")
def new(services: dict[str, str], template: str) -> Iterator[tuple[Connection, people.Crowd]]:
    """A database in which nothing has been said, and of which PostgreSQL has no statistics."""
    yield from _database(services, template, rooms=ROOMS, each=0)


def _database(
    services: dict[str, str], template: str, *, rooms: int, each: int
) -> Iterator[tuple[Connection, people.Crowd]]:
    database = fresh_database(services, template)
    parts = urlsplit(services["PARLEY_TEST_SUPERUSER_URL"])
    superuser = urlunsplit(parts._replace(path=f"/{database}"))
    crowd = people.make(superuser, "k" * 32, rooms=rooms, members=MEMBERS)
    if each:
        connection = psycopg2.connect(superuser)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(FILL, (each, each))
        connection.close()
    url = environment(services, database)["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://", 1)
    engine = create_engine(url, connect_args={"options": session_options(10_000)})
    with engine.connect() as asking:
        yield asking, crowd
    engine.dispose()


def _values(crowd: people.Crowd) -> dict[str, Any]:
    rooms, everyone = crowd.rooms[:20], crowd.people[:20]
    return {
        "conversation_id": crowd.rooms[0], "c": crowd.rooms[0], "me": crowd.people[0], "person": crowd.people[0],
        "profile_id": crowd.people[0], "people": everyone[:1], "conversations": rooms[:1], "senders": everyone[:1],
        "ids": rooms, "id": crowd.rooms[0], "floor": 0, "pivot": 100, "limit": 51, "received": 50, "seq": 60, "head": 200,
        "above": 20, "below": 20, "root": str(uuid.uuid4()), "kind": None, "archived": None, "at": None, "now": "now",
        "shown": 20, "cap": 100, "after": 50, "pivots": [100], "floors": [0], "limits": [202], "seqs": [60, 61],
        "since": None, "until": None,
    }  # fmt: skip


READ_TO = text("UPDATE memberships SET read_seq = :seq WHERE profile_id = :me")
NEARBY = text("SELECT message_id FROM found_messages WHERE conversation_id = :c AND seq >= 64 AND seq < 128")
HOT = {
    "history, newest": messages.NEWEST,
    "history, before": messages.BEFORE,
    "history, after": messages.AFTER,
    "history, around": messages.AROUND,
    "what changed since": missed.CHANGES,
    "where members stand": missed.STANDINGS,
    "messages by id": messages.BY_IDS,
    "a thread": messages.THREAD,
    "received and latest": messages.PLACES,
    "where conversations stand": conversations.HEADS,
    "the list of conversations": conversations.LIST,
    "one conversation": conversations.ONE,
    "members shown": conversations.PARTICIPANTS,
    "who comes, and where it stands": arrivals.LOAD,
    "a membership": access.FIND,
    "a membership, held": access.FIND_AND_LOCK,
    "a received mark": delivery.RECEIVE,
    "heads of some": relay.HEADS,
    "unread": unread.UNREAD,
    "unread counts": unread.COUNTS,
    "thread roots": commit.ROOTS,
    "which ids are known": accepting.KNOWN,
    "what is looked for everywhere": search.FIND,
    "a part of what is looked for nearby": NEARBY,
    "what is taken up anew": search.FORGET,
    "the staff": support.STAFF,
    "staff who are missing": support.ABSENT_ANYWHERE,
    "staff who are missing in one": support.ABSENT_HERE,
    "where one of the staff is missing": support.WHERE_ABSENT,
}
AS_ITSELF = {
    "what changed since", "where members stand", "who comes, and where it stands", "heads of some", "messages by id",
    "thread roots",
    "which ids are known",
    "a part of what is looked for nearby",
    "what is taken up anew",
}  # fmt: skip


def _context(scope: str, me: str) -> dict[str, str]:
    return {"context_scope": scope, "context_actor": me, "context_role": "member"}


def _plan(asking: Connection, statement: Any, values: dict[str, Any], *, is_system: bool) -> dict[str, Any]:
    scope = _context("system" if is_system else "actor", values["me"])
    wanted = {name: values[name] for name in statement._bindparams}
    with asking.begin():
        asking.execute(CONTEXT, scope)
        asking.execute(search.LOOK_FOR, {"terms": ["lin", "w77"]})
        found: dict[str, Any] = asking.execute(text(f"EXPLAIN (FORMAT JSON) {statement.text}"), wanted).scalar_one()[0]
    return found["Plan"]


def _read_whole(plan: dict[str, Any]) -> list[str]:
    own = [plan["Relation Name"]] if plan["Node Type"] == "Seq Scan" else []
    return own + [name for part in plan.get("Plans", []) for name in _read_whole(part)]


def _parts(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(deeper for part in plan.get("Plans", []) for deeper in _parts(part))]


@pytest.mark.parametrize("name", HOT)
def test_a_hot_question_reads_no_table_whole(filled: tuple[Connection, people.Crowd], name: str) -> None:
    asking, crowd = filled
    plan = _plan(asking, HOT[name], _values(crowd), is_system=name in AS_ITSELF)
    assert _read_whole(plan) == []


def test_a_question_without_an_index_is_found_out(filled: tuple[Connection, people.Crowd]) -> None:
    asking, crowd = filled
    unindexed = text("SELECT id FROM messages WHERE content = CAST(:limit AS text)")
    assert _read_whole(_plan(asking, unindexed, _values(crowd), is_system=True)) == ["messages"]


READ_WHOLE = text("SELECT relname FROM pg_stat_xact_user_tables WHERE seq_scan > 0")
CALLS = 3  # of a function, whose plans are kept from the first on


@pytest.mark.parametrize("is_hindered", [False, True])
def test_committing_a_batch_reads_no_table_whole(filled: tuple[Connection, people.Crowd], *, is_hindered: bool) -> None:
    asking, crowd = filled
    with asking.begin() as running:
        asking.execute(CONTEXT, _context("system", crowd.people[0]))
        asking.execute(text("DISCARD PLANS"))
        if is_hindered:  # so it can be found out
            asking.execute(text("SET LOCAL enable_indexscan = off"))
            asking.execute(text("SET LOCAL enable_bitmapscan = off"))
        for number in range(CALLS):
            _commit_a_batch(asking, crowd, head=EACH + number)
        read_whole = set(asking.execute(READ_WHOLE).scalars())
        running.rollback()
    assert bool(read_whole) == is_hindered, read_whole


def test_a_plan_made_before_anything_was_said_reads_no_table_whole(new: tuple[Connection, people.Crowd]) -> None:
    asking, crowd = new
    with asking.begin() as running:
        asking.execute(CONTEXT, _context("system", crowd.people[0]))
        for number in range(CALLS):
            _commit_a_batch(asking, crowd, head=number)
        assert set(asking.execute(READ_WHOLE).scalars()) == set()
        running.rollback()


def _commit_a_batch(asking: Connection, crowd: people.Crowd, *, head: int) -> None:
    batch = [Submission(_event(crowd, room), gated=True) for room in crowd.rooms[:20]]
    found = gate.open_batch(Transaction(asking, SYSTEM, _is_begun=True), batch, turn=None)
    assert found.heads == dict.fromkeys(crowd.rooms[:20], head)
    rows = [{**s.event, "seq": found.heads[s.event["conversationId"]] + 1} for s in batch]
    moved = {row["conversationId"]: row["seq"] for row in rows}
    values = {
        "batch": json.dumps(rows), "direct": array(row["id"] for row in rows), "targets": array(moved),
        "positions": array(moved.values()), "by_customers": array(False for _ in moved),
    }  # fmt: skip
    asking.execute(commit.WRITE, values)


def _event(crowd: people.Crowd, room: str) -> MessageEvent:
    sender = crowd.people[0]
    return cast("MessageEvent", {
        "id": str(uuid.uuid4()), "conversationId": room, "senderId": sender, "senderType": "user",
        "clientMessageId": str(uuid.uuid4()), "content": "said", "messageType": "text", "createdAt": "2026-01-01T00:00:00Z",
        "attachments": [], "metadata": {},
    })  # fmt: skip


def test_counting_what_is_unread_reads_no_message(filled: tuple[Connection, people.Crowd]) -> None:
    asking, crowd = filled
    counted = text(
        "SELECT sender_id, deleted_at FROM messages WHERE conversation_id = :c AND seq > 10 ORDER BY seq LIMIT 1000"
    )
    plan = _plan(asking, counted, _values(crowd), is_system=True)
    assert ("Index Only Scan", "messages_places") in [
        (part["Node Type"], part.get("Index Name")) for part in _parts(plan)
    ]


def test_what_the_healer_looks_for_grows_with_what_changed_only(filled: tuple[Connection, people.Crowd]) -> None:
    asking, crowd = filled
    values = {**_values(crowd), "at": "2099-01-01T00:00:00Z", "id": str(uuid.UUID(int=0))}
    with asking.begin():
        asking.execute(text("SET LOCAL enable_seqscan = off"))  # the table is so small here that reading it is cheapest
        assert _read_whole(_plan_in(asking, healing.CHANGED, values)) == []


def _plan_in(asking: Connection, statement: Any, values: dict[str, Any]) -> dict[str, Any]:
    asking.execute(CONTEXT, _context("system", values["me"]))
    wanted = {name: values[name] for name in statement._bindparams}
    found: dict[str, Any] = asking.execute(text(f"EXPLAIN (FORMAT JSON) {statement.text}"), wanted).scalar_one()[0]
    return found["Plan"]


LISTS: dict[str, Callable[[Transaction, UUID], object]] = {
    "all": lambda tx, _: conversations.mine(tx, kind=None, archived=None, limit=50, after=None)[0],
    "one": conversations.one,
}
LOOKED = text("SELECT sum(idx_scan + seq_scan) FROM pg_stat_xact_user_tables WHERE relname = 'memberships'")


@pytest.mark.parametrize("name", LISTS)
def test_a_list_asks_for_no_membership_for_each_message_that_it_counts(
    filled: tuple[Connection, people.Crowd], name: str
) -> None:
    asking, crowd = filled
    reader = Actor(id=UUID(crowd.people[1]), kind="user")
    room = UUID(crowd.rooms[0])

    def looks(read_seq: int) -> int:
        with Session(asking.engine) as session:
            tx = Transaction(session, reader)
            with tx.elevated():
                tx.execute(READ_TO, {"seq": read_seq, "me": reader.id})
            tx.execute(CONTEXT, _context("actor", str(reader.id)))
            before = tx.execute(LOOKED).scalar_one()
            assert LISTS[name](tx, room)
            found: int = tx.execute(LOOKED).scalar_one() - before
            session.rollback()
        return found

    assert looks(0) == looks(EACH - 1)
