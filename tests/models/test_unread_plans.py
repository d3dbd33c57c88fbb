"""A count of what is unread costs the same however much one has written, and whatever else the table holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

from bench import people
from tests.support.stack import fresh_database

OTHERS, LONG, CAP = 300, 20_000, 100
SAY = """
    WITH made AS (INSERT INTO messages (id, conversation_id, seq, changed_seq, sender_id, sender_type, client_message_id,
        content, message_type, created_at, metadata)
      SELECT gen_random_uuid(), c.id, n, n, %s, 'user', gen_random_uuid(), 'line ' || n, 'text', now(), '{}'
        FROM conversations c, generate_series(head_seq + 1, head_seq + %s) n WHERE c.id = ANY(%s::uuid[])
      RETURNING conversation_id, seq)
    UPDATE conversations c SET head_seq = m.head FROM (SELECT conversation_id, max(seq) AS head FROM made GROUP BY 1) m
      WHERE c.id = m.conversation_id"""


@dataclass
class Long:
    """A conversation in which one person has written nearly everything, among others with little in them."""

    cursor: psycopg2.extensions.cursor
    room: str
    reader: str

    def touched(self, question: str) -> int:
        """Give how many blocks an answer touches."""
        self.cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT {question}")
        plan = self.cursor.fetchone()[0][0]["Plan"]  # type: ignore[index]
        return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])

    @property
    def unread(self) -> str:
        """The count, as a list or a read mark asks for it."""
        return f"parley_unread('{self.room}', '{self.reader}', 0, {LONG + 2}, {CAP})"

    @property
    def scanned(self) -> str:
        """The same, by looking at everything."""
        return f"(SELECT count(*) FROM messages WHERE conversation_id = '{self.room}' AND sender_id <> '{self.reader}')"


@pytest.fixture(scope="module", params=[False, True], ids=["alone", "among others"])
def long(request: pytest.FixtureRequest, services: dict[str, str], template: str) -> Iterator[Callable[[int], Long]]:
    parts = urlsplit(services["PARLEY_TEST_SUPERUSER_URL"])
    url = urlunsplit(parts._replace(path=f"/{fresh_database(services, template)}"))
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE messages SET (autovacuum_enabled = false)")  # it would come at a time of its own
        crowd = people.make(url, "k" * 32, rooms=OTHERS if request.param else 2, members=2)
        writers = sorted(crowd.people[:2])

        def made(place: int) -> Long:
            """Have the reader come first or last in the index, among the senders."""
            room, reader, other = crowd.rooms[place], writers[place], writers[1 - place]
            for sender, count in ((other, 1), (reader, LONG), (other, 1)):
                cursor.execute(SAY, (sender, count, [room]))
            cursor.execute("ANALYZE messages")
            return Long(cursor, room, reader)

        if request.param:
            for sender in writers:
                cursor.execute(SAY, (sender, 3, crowd.rooms[2:]))
        yield made
    connection.close()


@pytest.mark.parametrize("place", [0, 1], ids=["first", "last"])
def test_a_count_costs_the_same_however_much_one_has_written(long: Callable[[int], Long], place: int) -> None:
    here = long(place)
    here.cursor.execute(f"SELECT {here.unread}")
    assert here.cursor.fetchone() == (2,)
    for _ in range(8):  # plans are made for these values at first, later for any
        assert here.touched(here.unread) < 200
    assert here.touched(here.scanned) > 400, "the plain count looks at all of it: the measure can fail"
    here.cursor.execute("VACUUM messages")
    assert here.touched(here.unread) < 200
