"""Looking nearby reads little, and finds what reading everything would: whatever the steps, the span and the page."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from app.kernel.actor import Actor
from app.models import transaction
from app.queries import search as views
from app.queries.search import Place, Span
from tests.domain.conftest import Aside

SEED = 20261122
ROOMS, EACH, LIMIT = 4, 700, 20
WORDS = {"often": 0.5, "some": 0.05, "seldom": 0.004}
END = datetime(2026, 1, 1, tzinfo=timezone.utc)
EVERY_PART = 2**31 - 1
Row = tuple[datetime, UUID, str, int, set[str]]


@pytest.fixture(scope="module")
def said(aside: Aside) -> Iterator[list[Row]]:
    """Conversations that spoke in the same hours, one less than the others, each message up to four minutes out of time."""
    chance, rows = random.Random(SEED), []
    rooms = [aside.room(f"nearby-{number}") for number in range(ROOMS)]
    for number, room in enumerate(rooms):
        aside.inside.fill(room, aside.ann["id"], EACH)
        for seq in range(1, EACH + 1):
            minute = (seq - EACH) * (number + 1) / 4 + chance.uniform(-2, 2)
            words = sorted(word for word, share in WORDS.items() if chance.random() < share)
            at = (END + timedelta(minutes=minute)).isoformat(timespec="milliseconds")
            rows.append((room, seq, at, "{" + ",".join(["all", *words]) + "}"))
    connection = aside.inside.connect()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE new (room uuid, seq bigint, at timestamptz, terms text[])")
        cursor.executemany("INSERT INTO new VALUES (%s, %s, %s, %s)", rows)
        cursor.execute(
            "UPDATE messages m SET created_at = n.at FROM new n WHERE m.conversation_id = n.room AND m.seq = n.seq"
        )
        cursor.execute(
            "INSERT INTO found_messages (message_id, conversation_id, seq, created_at, terms)"
            " SELECT m.id, m.conversation_id, m.seq, m.created_at, n.terms FROM messages m"
            " JOIN new n ON n.room = m.conversation_id AND n.seq = m.seq"
        )
        cursor.execute(
            "UPDATE conversations c SET active_at = (SELECT max(at) FROM new WHERE room = c.id) WHERE id = ANY(%s::uuid[])",
            (rooms,),
        )
        cursor.execute("SELECT created_at, message_id, conversation_id::text, seq, terms FROM found_messages"
                       " WHERE conversation_id = ANY(%s::uuid[])", (rooms,))  # fmt: skip
        kept = [(at, UUID(str(one)), room, seq, set(terms)) for at, one, room, seq, terms in cursor.fetchall()]
    connection.close()
    yield kept
    aside.inside.rows("DELETE FROM found_messages WHERE conversation_id = ANY(%s::uuid[])", rooms)


def by_reading_all(
    rows: list[Row], terms: list[str], room: UUID | None, span: Span, before: Place | None
) -> list[Place]:
    """Find them the plain way."""

    def fits(row: Row) -> bool:
        at, one, where, seq, held = row
        return (
            held.issuperset(terms)
            and (room is None or where == str(room))
            and (span.since is None or at >= span.since)
            and (span.until is None or at < span.until)
            and (span.above is None or seq > span.above)
            and (span.below is None or seq < span.below)
            and (before is None or (at, one) < before)
        )

    return sorted(((row[0], row[1]) for row in rows if fits(row)), reverse=True)[:LIMIT]


def asked(chance: random.Random, rows: list[Row]) -> dict[str, Any]:
    """Make up a question."""
    room = UUID(chance.choice(rows)[2]) if chance.random() < 0.5 else None
    times = sorted(chance.choice(rows)[0] for _ in range(2))
    places = sorted(chance.randint(0, EACH + 10) for _ in range(2)) if room and chance.random() < 0.3 else (None, None)
    return {
        "terms": ["all", *chance.sample(sorted(WORDS), chance.randint(0, 2))],
        "room": room,
        "span": Span(
            since=times[0] if chance.random() < 0.3 else None,
            until=times[1] if chance.random() < 0.3 else None,
            above=places[0],
            below=places[1],
        ),
        "before": chance.choice(rows)[:2] if chance.random() < 0.5 else None,
    }


def test_what_is_found_nearby_is_what_is_found_by_reading_all(aside: Aside, said: list[Row]) -> None:
    print("seed", SEED)
    chance, actor, found = random.Random(SEED), Actor(kind="user", id=UUID(aside.ann["id"])), 0
    for _ in range(150):
        question = asked(chance, said)
        terms, room, span, before = (question[name] for name in ("terms", "room", "span", "before"))
        with transaction(actor) as tx:
            near = views.find_near(tx, terms, room, span, before=before, limit=LIMIT, parts=EVERY_PART)
        assert near == by_reading_all(said, terms, room, span, before), question
        found += len(near)
    assert found > 500
