"""Looking inside a stack, past its doors: its database as a superuser, and its two Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import orjson
import psycopg2
import redis

from tests.support.stack import Stack

Row = tuple[Any, ...]


class Inside:
    """The parts of one stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.cache = redis.Redis.from_url(stack.environ["REDIS_URL"])
        self.log = redis.Redis.from_url(stack.environ["MESSAGE_LOG_REDIS_URL"])
        self._connection = self.connect()

    def channel(self, name: str) -> str:
        """Name a channel of this stack's own: Redis shares channels between its numbered databases."""
        return f"{name}@{self.cache.connection_pool.connection_kwargs['db']}"

    def connect(self) -> psycopg2.extensions.connection:
        """Connect to the stack's database as a superuser, whom row security does not bind."""
        address = urlsplit(self.stack.services["PARLEY_TEST_SUPERUSER_URL"])
        connection = psycopg2.connect(urlunsplit(address._replace(path=f"/{self.stack.database}")))
        connection.autocommit = True
        return connection

    def rows(self, statement: str, *values: Any) -> list[Row]:
        """Run a statement and give its rows."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []

    @contextmanager
    def held(self, conversation_id: str) -> Iterator[None]:
        """Hold a conversation's row, as a database too slow to commit anything in it would."""
        connection = self.connect()
        connection.autocommit = False
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM conversations WHERE id = %s FOR UPDATE", (conversation_id,))
                yield
        finally:
            connection.rollback()
            connection.close()

    def positions(self, conversation_id: str) -> list[int]:
        """List every position that some change of a conversation has left a trace of, each once, ascending."""
        statement = """
            SELECT seq FROM messages WHERE conversation_id = %s
            UNION SELECT changed_seq FROM messages WHERE conversation_id = %s
            UNION SELECT position FROM message_edits WHERE conversation_id = %s ORDER BY 1"""
        return [row[0] for row in self.rows(statement, *[conversation_id] * 3)]

    def head(self, conversation_id: str) -> int:
        """Read a conversation's head."""
        return int(self.rows("SELECT head_seq FROM conversations WHERE id = %s", conversation_id)[0][0])

    def whole(self, conversation_id: str) -> tuple[int, list[int], dict[str, int]]:
        """Read a conversation's head, its positions and the place of each message, all from one moment."""
        connection = self.connect()
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
        looking = copy(self)
        looking._connection = connection
        try:
            head, positions = looking.head(conversation_id), looking.positions(conversation_id)
            rows = looking.rows("SELECT id::text, seq FROM messages WHERE conversation_id = %s", conversation_id)
            return head, positions, {row[0]: row[1] for row in rows}
        finally:
            connection.close()

    def fill(self, conversation_id: str, sender_id: str, count: int) -> None:
        """Commit messages behind everybody's back, as if every emit of them had been lost."""
        statement = """
            WITH made AS (INSERT INTO messages (id, conversation_id, seq, changed_seq, sender_id, sender_type,
                client_message_id, content, message_type, created_at, metadata)
              SELECT gen_random_uuid(), id, n, n, %s, 'user', gen_random_uuid(), 'line ' || n, 'text', now(), '{}'
                FROM conversations, generate_series(head_seq + 1, head_seq + %s) n WHERE id = %s RETURNING seq)
            UPDATE conversations SET head_seq = (SELECT max(seq) FROM made), updated_at = now() WHERE id = %s"""
        self.rows(statement, sender_id, count, conversation_id, conversation_id)

    def log_entry(self, event: dict[str, Any]) -> bytes:
        """Put an entry straight into the message log, past every check; gives its place there."""
        return bytes(self.log.xadd("messages:log", {"e": orjson.dumps(event)}))

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
        self.cache.close()
        self.log.close()
