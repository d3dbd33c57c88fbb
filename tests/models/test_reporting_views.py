"""The reporting views: one row a message and reader, derived from marks, and to an actor no more than the tables show."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg2
import pytest
from sqlalchemy import text

from app.domain import delivery, failures, reading
from app.kernel import clock
from app.kernel.actor import SYSTEM, Actor
from app.models import transaction
from tests.models.test_row_security import World, _inhabited, _say, _two_roles
from tests.support.wired import inside

VIEWS = ("message_read_receipts", "message_read_status", "message_delivery_status")
OPEN = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')"
    " AND NOT COALESCE('security_invoker=true' = ANY (reloptions), false)"
)


@pytest.fixture(scope="module")
def world(services: dict[str, str], template: str) -> Iterator[World]:
    environ, superuser = _two_roles(services, template)
    with inside(environ) as app:
        yield _inhabited(app, environ, superuser)


def rows(actor: Actor, view: str, columns: str, message_id: UUID) -> list[tuple[object, ...]]:
    with transaction(actor) as tx:
        found = tx.execute(text(f"SELECT {columns} FROM {view} WHERE message_id = :id ORDER BY 1"), {"id": message_id})
        return [tuple(row) for row in found]


def test_a_view_tells_of_each_message_and_reader_what_became_of_it(world: World) -> None:
    said = [_say(world.ann, world.group, f"line {number}") for number in range(3)]
    delivery.received(world.ben, conversation_id=world.group, message_id=said[1], now=clock.now())
    with transaction(SYSTEM) as tx:
        came = tx.execute(
            text("SELECT max(received_at) FROM received_marks WHERE profile_id = :p"), {"p": world.ben.id}
        )
        came = came.scalar_one()
    reading.mark_read(world.ben, message_ids=[said[0]], now=clock.now())

    def status(message_id: UUID, columns: str = "status") -> list[tuple[object, ...]]:
        return rows(world.ann, "message_delivery_status", f"recipient_id, recipient_type, {columns}", message_id)

    ben = (world.ben.id, "user")
    assert [status(message_id) for message_id in said] == [[(*ben, "read")], [(*ben, "delivered")], [(*ben, "sent")]]
    assert status(said[1], "delivered_at, read_at") == [(*ben, came, None)]
    failures.failed(
        recipient_id=world.ben.id, message_ids=said, path="mail", reason="No such mailbox.", now=clock.now()
    )
    assert [row[0][2:] for row in (status(one, "status, failed_reason") for one in said)] == [
        ("read", "No such mailbox."), ("delivered", "No such mailbox."), ("failed", "No such mailbox."),
    ]  # fmt: skip
    told = rows(world.ann, "message_read_receipts", "read_by_user_id, read_by_customer_id, read_at", said[0])
    assert [row[:2] for row in told] == [(world.ben.id, None)]
    assert told[0][2] is not None
    assert rows(world.ann, "message_read_receipts", "seq", said[1]) == []
    reads = "reader_id, is_read, read_at IS NOT NULL"
    assert rows(world.ann, "message_read_status", reads, said[0]) == [(world.ben.id, True, True)]
    assert rows(world.ann, "message_read_status", reads, said[1]) == [(world.ben.id, False, False)]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_an_actor_no_more_than_the_tables_do(world: World, view: str) -> None:
    said = _say(world.ann, world.group, "for members")
    reading.mark_read(world.ben, message_ids=[said], now=clock.now())
    assert len(rows(world.ann, view, "seq", said)) == 1
    assert rows(world.cat, view, "seq", said) == rows(world.dan, view, "seq", said) == []
    with psycopg2.connect(world.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {view}")
        assert cursor.fetchone() == (0,), "no context, no rows"


def test_every_view_runs_as_whoever_asks(world: World) -> None:
    with psycopg2.connect(world.superuser) as connection, connection.cursor() as cursor:
        cursor.execute(OPEN)
        assert cursor.fetchall() == []
        cursor.execute("CREATE VIEW planted AS SELECT 1 AS one")  # a check proves that it can fail
        cursor.execute(OPEN)
        assert cursor.fetchall() == [("planted",)]
        connection.rollback()
