"""Who acts is told to the database with a transaction's first statement."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import text

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
