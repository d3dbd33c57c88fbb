"""Messages by the million: written with COPY, without their indexes, which are built afterwards from all of them at once."""

from __future__ import annotations

import io
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg2

from app.kernel import terms

CHUNK = 50_000
WORDS, WORDS_EACH = 3_000, 9
RARE_EVERY = 20_000  # one message in so many has the rare word
COMMON, RARE = "lantern", "quixotic"
DAYS = 300
TABLES = ("messages", "found_messages")
MESSAGES = (
    "messages (id, conversation_id, seq, changed_seq, sender_id, sender_type, client_message_id, content, message_type,"
    " created_at, metadata)"
)
FOUND = "found_messages (message_id, conversation_id, seq, created_at, terms)"


class Language:
    """Sentences of made-up words, and the pieces by which search finds them: as the application makes them, but faster."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - words
        letters = "abcdefghijklmnopqrstuvwxyz"
        words = [COMMON] + ["".join(self._chance.choices(letters, k=self._chance.randint(4, 9))) for _ in range(WORDS)]
        self._words = [(word, ",".join(terms.of(word))) for word in [*words, RARE]]
        self._weights = [1 / (rank + 8) for rank in range(len(words))]  # some words are said often, most seldom
        self._said: Iterator[int] = iter(())

    def sentence(self, *, has_rare: bool) -> tuple[str, str]:
        """Give a sentence and its pieces, comma separated."""
        said = [next(self._said, -1) for _ in range(WORDS_EACH)]
        if -1 in said:
            self._said = iter(self._chance.choices(range(len(self._weights)), self._weights, k=WORDS_EACH * CHUNK))
            return self.sentence(has_rare=has_rare)
        chosen = [self._words[number] for number in (said if not has_rare else [*said, -1])]
        return " ".join([word for word, _ in chosen]), ",".join([pieces for _, pieces in chosen])


def fill(
    superuser_url: str, rooms: Sequence[str], people: Sequence[str], each: int, say: Callable[[str], None]
) -> float:
    """Write so many messages into each room, of its own people, findable by search; gives the seconds it took."""
    began = time.monotonic()
    connection = psycopg2.connect(superuser_url)
    with connection, connection.cursor() as cursor:
        # no check of each reference
        cursor.execute("SET synchronous_commit = off; SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 0")
        connection.commit()
        with _indexes_later(connection, cursor, say):
            for done in _copied(connection, cursor, rooms, people, each):
                if done % (20 * CHUNK) == 0:
                    say(f"{done:,} messages after {time.monotonic() - began:.0f} s")
        cursor.execute("UPDATE conversations SET head_seq = %s WHERE id = ANY(%s::uuid[])", (each, list(rooms)))
        cursor.execute("INSERT INTO found_up_to SELECT id, head_seq FROM conversations WHERE id = ANY(%s::uuid[])"
                       " ON CONFLICT (conversation_id) DO UPDATE SET seq = EXCLUDED.seq", (list(rooms),))  # fmt: skip
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        # COPY leaves a gap at the end of each page, which messages that come one by one have filled long ago: each of the next
        # 300,000 would be put into another old page.
        cursor.execute("ALTER TABLE messages SET (fillfactor = 90)")
    connection.close()
    return time.monotonic() - began


@contextmanager
def _indexes_later(connection: Any, cursor: Any, say: Callable[[str], None]) -> Iterator[None]:
    """Leave the indexes alone meanwhile, those of the constraints too, and build them anew at the end."""
    cursor.execute("UPDATE pg_index SET indisready = false WHERE indrelid = ANY(%s::regclass[])", (list(TABLES),))
    connection.commit()
    yield
    for table in TABLES:
        began = time.monotonic()
        cursor.execute(f"REINDEX TABLE {table}")
        connection.commit()
        say(f"indexes of {table} in {time.monotonic() - began:.0f} s")


def _copied(connection: Any, cursor: Any, rooms: Sequence[str], people: Sequence[str], each: int) -> Iterator[int]:
    """Write chunk by chunk, in the order of time: what is written together lies apart, as in life."""
    language, done, members = Language(7), 0, len(people) // len(rooms)
    chance = random.Random(7)  # noqa: S311 - who says the rare word
    begin = datetime.now(timezone.utc) - timedelta(days=DAYS)
    messages, found = [], []
    for seq in range(1, each + 1):
        at = (begin + timedelta(days=DAYS * seq / (each + 1))).isoformat(timespec="milliseconds")
        ids = os.urandom(32 * len(rooms)).hex()
        for number, room in enumerate(rooms):
            mine, given = ids[64 * number : 64 * number + 32], ids[64 * number + 32 : 64 * number + 64]
            sender = people[number * members + seq % members]
            words, pieces = language.sentence(has_rare=chance.randrange(RARE_EVERY) == 0)
            messages.append(f"{mine}\t{room}\t{seq}\t{seq}\t{sender}\tuser\t{given}\t{words}\ttext\t{at}\t{{}}\n")
            found.append(f"{mine}\t{room}\t{seq}\t{at}\t{{{pieces},in:{room},from:{sender}}}\n")
            done += 1
            if len(messages) == CHUNK:
                _copy(connection, cursor, messages, found)
                yield done
    _copy(connection, cursor, messages, found)


def _copy(connection: Any, cursor: Any, messages: list[str], found: list[str]) -> None:
    for into, rows in ((MESSAGES, messages), (FOUND, found)):
        cursor.copy_expert(f"COPY {into} FROM STDIN", io.StringIO("".join(rows)))
        rows.clear()
    connection.commit()
