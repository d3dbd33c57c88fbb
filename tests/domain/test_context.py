"""Who acts is told to the database with a transaction's first statement."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from app.kernel.actor import SYSTEM, Actor
from app.models import transaction
from tests.domain.conftest import Aside

ASKED = text("SELECT current_setting('parley.actor_id', true) AS actor, current_setting('parley.scope', true) AS scope")
LIMIT = text("SELECT current_setting('lock_timeout')")


def test_the_first_statement_knows_already_who_acts(aside: Aside) -> None:
    actor = Actor(uuid.uuid4(), "user")
    with transaction(actor) as tx:
        first, second = tx.execute(ASKED).one(), tx.execute(ASKED).one()
    assert tuple(first) == tuple(second) == (str(actor.id), "actor")
    with transaction(SYSTEM, lock_wait_ms=70) as tx:
        assert tx.execute(LIMIT).scalar_one() == "70ms"


@pytest.mark.parametrize("ends", ["commit", "error"])
def test_the_next_transaction_of_a_connection_knows_nothing_of_the_one_before(aside: Aside, ends: str) -> None:
    try:
        with transaction(Actor(uuid.uuid4(), "user")) as tx:
            tx.execute(ASKED)
            if ends == "error":
                raise LookupError
    except LookupError:
        pass
    with transaction(SYSTEM) as tx:
        assert tx.execute(ASKED).one().scope == "system"


def test_a_savepoint_and_an_added_row_know_it_too(aside: Aside) -> None:
    actor = Actor(uuid.uuid4(), "user")
    with transaction(actor) as tx, tx.savepoint():
        assert tx.execute(ASKED).one().actor == str(actor.id)


def test_a_transaction_that_does_nothing_costs_nothing(aside: Aside) -> None:
    with transaction(SYSTEM) as tx:
        pass
    assert not tx.connection.in_transaction()


MINE = text("SELECT count(*) FROM profiles WHERE id = :id")
ADD = text(
    "INSERT INTO profiles (id, kind, username, display_name, created_at) VALUES (:id, 'bot', :name, 'Told', now())"
)


def _row() -> dict[str, object]:
    made = uuid.uuid4()
    return {"id": made, "name": f"t{made.hex[:20]}"}


def _is_there(row: dict[str, object]) -> bool:
    with transaction(SYSTEM) as tx:
        return bool(tx.execute(MINE, {"id": row["id"]}).scalar_one())


def test_an_error_undoes_what_came_before_it_and_leaves_the_connection_usable(aside: Aside) -> None:
    row = _row()
    with pytest.raises(ProgrammingError), transaction(SYSTEM) as tx:
        tx.execute(ADD, row)
        tx.execute(text("SELECT nonsense"))
    assert not _is_there(row)
    with pytest.raises(LookupError), transaction(SYSTEM) as tx:
        tx.execute(ADD, row)
        raise LookupError
    assert not _is_there(row)
    with transaction(SYSTEM) as tx:
        tx.execute(ADD, row)
    assert _is_there(row)


@pytest.mark.parametrize("came_before", [False, True])
def test_a_last_statement_commits_and_is_the_last(aside: Aside, *, came_before: bool) -> None:
    row = _row()
    with transaction(SYSTEM) as tx:
        if came_before:
            tx.execute(ASKED)
        tx.finish(ADD, row)
        assert _is_there(row)
        with pytest.raises(RuntimeError):
            tx.execute(ASKED)
    with pytest.raises(IntegrityError), transaction(SYSTEM) as tx:
        tx.finish(ADD, row)
    assert _is_there(_added(_row()))


def _added(row: dict[str, object]) -> dict[str, object]:
    with transaction(SYSTEM) as tx:
        tx.finish(ADD, row)
    return row


def test_a_snapshot_is_of_one_moment(aside: Aside) -> None:
    row = _row()
    with transaction(SYSTEM, snapshot=True) as tx:
        before = tx.execute(MINE, {"id": row["id"]}).scalar_one()
        _added(row)
        assert tx.execute(MINE, {"id": row["id"]}).scalar_one() == before == 0
    assert _is_there(row)


def test_a_statement_alone_is_a_whole_transaction_that_knows_who_acts(aside: Aside) -> None:
    actor, row = Actor(uuid.uuid4(), "user"), _row()
    with transaction(actor) as tx:
        assert tuple(tx.alone(ASKED).one()) == (str(actor.id), "actor")
        assert not tx.connection.connection.dbapi_connection.get_transaction_status()
        assert tx.connection.exec_driver_sql("SELECT current_setting('parley.scope', true)").scalar_one() != "actor"
        with pytest.raises(RuntimeError):
            tx.execute(ASKED)
    with transaction(SYSTEM) as tx:
        tx.alone(ADD, row)
    assert _is_there(row)
    with pytest.raises(IntegrityError), transaction(SYSTEM) as tx:
        tx.alone(ADD, row)
    with pytest.raises(RuntimeError), transaction(SYSTEM) as tx:
        tx.execute(ASKED)
        tx.alone(ASKED)
    assert _is_there(row)
