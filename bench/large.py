"""A large database: millions of messages by COPY, and how long what people do takes beside it.

`python -m bench large --messages 2000000 --conversations 10000` measures on an empty database, fills it, measures again.
"""

from __future__ import annotations

import io
import statistics
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import psycopg2

from bench import people
from bench.people import Crowd
from bench.stack import SECRET, prepared
from bench.work import PARLEY, Load

MEMBERS = 4
OWN = 200  # conversations of the one who is measured
CHUNK = 100_000
WORDS = "the quick brown fox jumps over the lazy dog while message number {} goes to conversation {}"
TRIES = 30


def measure(folder: Path, *, messages: int, conversations: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure, fill, measure; gives milliseconds (medians) before and after, and what filling took."""
    with prepared(folder, mode="behind") as stack:
        stack.start()
        small = _crowd(stack.superuser_url, OWN)
        _fill(stack.superuser_url, small.rooms, 100)
        before = _times(stack.port, small, list(stack.pids().values()))
        began = time.monotonic()
        large = _crowd(stack.superuser_url, conversations)
        _fill(stack.superuser_url, large.rooms, messages // conversations)
        took = time.monotonic() - began
        say(f"{messages:,} messages in {took:.0f} s")
        after = _times(stack.port, large, list(stack.pids().values()))
    return {"messages": messages, "conversations": conversations, "filledS": took, "before": before, "after": after}


def table(result: dict[str, Any]) -> str:
    """Give the measurements as a Markdown table."""
    lines = [f"| | empty | {result['messages']:,} messages | ratio |", "|---|---|---|---|"]
    for name, before in result["before"].items():
        after = result["after"][name]
        lines.append(f"| {name} | {before:.2f} | {after:.2f} | {after / before:.2f} |")
    return "\n".join(lines) + "\n"


def _crowd(superuser_url: str, conversations: int) -> Crowd:
    """Make conversations, of which the first of their people is in 200."""
    crowd = people.make(superuser_url, SECRET, rooms=conversations, members=MEMBERS)
    step = max(1, conversations // OWN)
    with psycopg2.connect(superuser_url) as connection, connection.cursor() as cursor:
        rooms = crowd.rooms[step::step][: OWN - 1]
        people.copy(cursor, "memberships (conversation_id, profile_id, role, joined_at)",
                    ((room, crowd.people[0], "member", "now") for room in rooms))  # fmt: skip
    connection.close()
    return crowd


def _fill(superuser_url: str, rooms: list[str], each: int) -> None:
    with psycopg2.connect(superuser_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SET synchronous_commit = off; SET session_replication_role = replica"
        )  # no check of each reference
        cursor.execute("SELECT id, created_by FROM conversations WHERE id = ANY(%s::uuid[])", (rooms,))
        makers = dict(cursor.fetchall())
        columns = (
            "messages (id, conversation_id, seq, changed_seq, sender_id, sender_type, client_message_id, content,"
            " message_type, created_at, metadata)"
        )
        rows = _rows(rooms, makers, each)
        while chunk := "".join(row for _, row in zip(range(CHUNK), rows, strict=False)):
            cursor.copy_expert(f"COPY {columns} FROM STDIN", io.StringIO(chunk))
            connection.commit()
        cursor.execute("UPDATE conversations SET head_seq = %s WHERE id = ANY(%s::uuid[])", (each, rooms))
    connection.close()
    vacuum = psycopg2.connect(superuser_url)
    vacuum.autocommit = True
    with vacuum.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    vacuum.close()


def _rows(rooms: list[str], makers: dict[str, str], each: int) -> Iterator[str]:
    """Give rows in the order of time: what is written together lies apart, as in life."""
    for seq in range(1, each + 1):
        for number, room in enumerate(rooms):
            words = WORDS.format(seq, number)
            yield (
                f"{uuid.uuid4()}\t{room}\t{seq}\t{seq}\t{makers[room]}\tuser\t{uuid.uuid4()}\t{words}\ttext\t"
                "2026-01-01T00:00:00Z\t{}\n"
            )


def _times(port: int, crowd: Crowd, pids: list[int]) -> dict[str, float]:
    room, token = crowd.rooms[0], crowd.tokens[0]
    head = _get(port, token, f"/conversations/{room}/messages?limit=1")["data"]["upToSeq"]
    calls = {
        "list of conversations": "/conversations?limit=50",
        "newest page of history": f"/conversations/{room}/messages?limit=50",
        "a page from the middle": f"/conversations/{room}/messages?limit=50&before={head // 2}",
        "rejoin, 50 missed": f"/rooms/{room}/rejoin?after={head - 50}",
        "unread count": "/messages/unread-count",
    }
    found = {f"{name}, ms": _median(lambda path=path: _get(port, token, path)) for name, path in calls.items()}
    load = Load(
        port, PARLEY, Crowd(crowd.rooms[:50], MEMBERS, crowd.people[: 50 * MEMBERS], crowd.tokens[: 50 * MEMBERS]), pids
    )
    load.connect()
    steady = load.steady(50, 6)
    closed = load.closed(5)
    load.close()
    return {**found, "send to ack p50, ms": steady["ackP50Ms"], "send to delivery p50, ms": steady["p50Ms"],
            "a message through accept, drain and fan-out, ms": 1000 / closed["messagesPerS"]}  # fmt: skip


def _median(call: Callable[[], object]) -> float:
    took = []
    for _ in range(TRIES):
        began = time.perf_counter()
        call()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def _get(port: int, token: str, path: str) -> Any:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api{path}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - ours
        return orjson.loads(answer.read())
