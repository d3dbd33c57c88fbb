"""A session of the database that has ended is one call's misfortune; a database that is away or silent is everybody's."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from psycopg2 import extensions as driver
from sqlalchemy import text

from app.extensions import DATABASE, db, limit_database_waits, make_engine
from app.kernel import patience
from app.kernel.actor import SYSTEM
from app.kernel.errors import Unavailable
from app.models import transaction
from tests.domain.conftest import Aside

OWN_END = text("SELECT pg_terminate_backend(pg_backend_pid())")
ONE, LONG = text("SELECT 1"), text("SELECT pg_sleep(3)")


@pytest.fixture(autouse=True)
def answering(aside: Aside) -> Iterator[None]:
    """Wait as the application does, and leave nothing to who comes after."""
    limit_database_waits()
    yield
    driver.set_wait_callback(None)
    DATABASE.succeeded()


def ask(statement: object) -> None:
    """Put one question."""
    with transaction(SYSTEM) as tx:
        tx.execute(statement)


def test_a_session_that_is_ended_stops_nobody_else() -> None:
    ask(ONE)
    with pytest.raises(Unavailable):
        ask(OWN_END)
    assert not DATABASE.has_failed
    ask(ONE)


def test_a_database_that_does_not_answer_is_away() -> None:
    with pytest.raises(Unavailable), patience.at_most(0.2):
        ask(LONG)
    assert DATABASE.is_open


def test_a_database_that_cannot_be_reached_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"postgresql+psycopg2://a@127.0.0.1:{nobody.getsockname()[1]}/a"
        monkeypatch.setattr(db, "_engine", make_engine(url, pool_size=1, statement_timeout_ms=500))
        with pytest.raises(Unavailable):
            ask(ONE)
    assert DATABASE.is_open
