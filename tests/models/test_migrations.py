"""Migrations go up, down and up again, and make exactly the tables that the models describe."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text

from app import models
from app.extensions import Base
from tests.support.stack import ROOT, environment, fresh_database
from tests.support.wired import migrate

CATALOGUE = text(
    "SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS thing"
    "  FROM information_schema.columns WHERE table_schema = 'public'"
    " UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'"
    " UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint"
    "   WHERE connamespace = 'public'::regnamespace AND contype <> 'n'"
    " UNION ALL SELECT 'policy ' || tablename || ' ' || COALESCE(qual, '') || COALESCE(with_check, '') FROM pg_policies"
    " UNION ALL SELECT 'function ' || pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    " ORDER BY 1"
)


@pytest.fixture(scope="module")
def environ(services: dict[str, str], template: str) -> dict[str, str]:
    return environment(services, fresh_database(services, template))


@pytest.fixture
def owner(environ: dict[str, str]) -> Iterator[Engine]:
    engine = create_engine(environ["DATABASE_OWNER_URL"].replace("postgresql://", "postgresql+psycopg2://", 1))
    yield engine
    engine.dispose()


@pytest.fixture
def superuser(services: dict[str, str], environ: dict[str, str]) -> Iterator[Any]:
    """The server's own administrator, in the same database."""
    parts = urlsplit(services["PARLEY_TEST_SUPERUSER_URL"])
    connection = psycopg2.connect(urlunsplit(parts._replace(path=urlsplit(environ["DATABASE_URL"]).path)))
    connection.autocommit = True
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


def catalogue(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(CATALOGUE).scalars())


def revision(engine: Engine) -> str:
    with engine.connect() as connection:
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        return list(compare_metadata(context, Base.metadata))


@pytest.mark.fast
def test_migrations_are_one_line() -> None:
    """Two that follow the same one would each leave out the other."""
    script = ScriptDirectory(str(ROOT / "migrations"))
    assert len(script.get_heads()) == 1, script.get_heads()


def test_the_models_and_the_migrated_tables_agree(owner: Engine) -> None:
    assert models.Message.__tablename__ in Base.metadata.tables
    assert differences(owner) == []


def test_a_difference_would_be_found(owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(
            text("ALTER TABLE messages ALTER metadata DROP NOT NULL; ALTER TABLE profiles ADD extra text")
        )
    try:
        assert len(differences(owner)) == 2
    finally:
        with owner.begin() as connection:
            connection.execute(
                text("ALTER TABLE messages ALTER metadata SET NOT NULL; ALTER TABLE profiles DROP extra")
            )


def test_down_to_nothing_and_up_again_gives_the_same(environ: dict[str, str], owner: Engine) -> None:
    before = catalogue(owner)
    assert len(before) > 100
    migrate(environ)  # where it is already
    assert catalogue(owner) == before
    migrate(environ, to="base")
    assert inspect(owner).get_table_names() == ["alembic_version"]
    assert [thing for thing in catalogue(owner) if "alembic_version" not in thing] == []
    migrate(environ)
    assert catalogue(owner) == before


def test_what_an_administrator_has_put_beside_the_tables_is_let_alone(environ: dict[str, str], superuser: Any) -> None:
    """As extensions do, in the same schema; to grant what is another's fails."""
    superuser.execute("CREATE TABLE theirs (); CREATE FUNCTION their_own() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    superuser.execute("REVOKE ALL ON FUNCTION their_own FROM PUBLIC")
    try:
        migrate(environ)
        superuser.execute("SELECT has_function_privilege('parley_app', 'their_own()', 'EXECUTE')")
        assert superuser.fetchone() == (False,)
    finally:
        superuser.execute("DROP TABLE theirs; DROP FUNCTION their_own")


INDEXES = "SELECT count(*), bool_and(indisvalid) FROM pg_index WHERE indrelid = 'found_messages'::regclass"


def test_an_index_is_built_however_long_that_takes_and_anew_where_it_was_left_half_built(
    environ: dict[str, str], owner: Engine, superuser: Any
) -> None:
    before = catalogue(owner)
    while revision(owner) > "0037":
        migrate(environ, to="-1")
    with owner.begin() as connection:
        connection.execute(text("CREATE INDEX found_messages_new ON found_messages (seq)"))
    superuser.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'found_messages_new'::regclass")
    reading = owner.connect()
    reading.execute(text("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM found_messages"))
    ends = threading.Timer(6.0, reading.close)
    ends.start()  # until it does, building an index waits, beyond what other statements may take
    migrate(environ)
    ends.join()
    assert catalogue(owner) == before
    superuser.execute(INDEXES)
    assert superuser.fetchone() == (2, True)
