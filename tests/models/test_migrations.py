"""Migrations go up, down and up again, and make exactly the tables that the models describe."""

from __future__ import annotations

from collections.abc import Iterator

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


def catalogue(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(CATALOGUE).scalars())


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
