"""Run migrations as the tables' owner, and let the application's role use what they make.

Two roles (``DATABASE_OWNER_URL`` beside ``DATABASE_URL``) or one: the policies hold in both, see docs/decisions.
"""

from __future__ import annotations

import re

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

config = current_app.extensions["parley_config"]
target_metadata = current_app.extensions["migrate"].db.metadata


LIMITS = "SET lock_timeout = '4s'; SET statement_timeout = '5s'; SET search_path = public"
NO_LIMITS = "SET lock_timeout = 0; SET statement_timeout = 0"
BUILT = re.compile(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:IF NOT EXISTS )?(\w+)")
HALF_BUILT = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid"
GRANTS = text(  # an extension's things, or the operator's own, are not the owner's to give
    "SELECT 'SELECT, INSERT, UPDATE, DELETE ON ' || oid::regclass FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') AND pg_has_role(relowner, 'USAGE')"
    " UNION ALL SELECT 'EXECUTE ON ROUTINE ' || oid::regprocedure FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace AND pg_has_role(proowner, 'USAGE')"
)


def grant_to_app_role(connection) -> None:
    """Give the application's role the rows, not the tables."""
    owner, role = make_url(config.database_owner_url).username, make_url(config.database_url).username
    if role and role != owner:
        quoted = connection.dialect.identifier_preparer.quote(role)
        for granted in ["USAGE ON SCHEMA public", *connection.execute(GRANTS).scalars()]:
            connection.execute(text(f"GRANT {granted} TO {quoted}"))
        connection.execute(text("REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM " + quoted))


def take_time_beside_the_running_release(engine) -> None:
    """Let what is built concurrently, and blocks nobody, take as long as it takes; what was left half built is built anew."""

    @event.listens_for(engine, "before_cursor_execute")
    def before(_connection, cursor, statement, *_) -> None:
        if "INDEX CONCURRENTLY" in statement:
            cursor.execute(NO_LIMITS)
            name = BUILT.search(statement)
            cursor.execute(HALF_BUILT, (name and name[1],))
            if cursor.fetchone():
                cursor.execute(f"DROP INDEX CONCURRENTLY {name[1]}")

    @event.listens_for(engine, "after_cursor_execute")
    def after(_connection, cursor, statement, *_) -> None:
        if "INDEX CONCURRENTLY" in statement:
            cursor.execute(LIMITS)


def run() -> None:
    """Upgrade or downgrade in one transaction a revision, giving up rather than blocking the running release."""
    engine = create_engine(config.sqlalchemy_owner_url, poolclass=NullPool)
    take_time_beside_the_running_release(engine)
    with engine.connect() as connection:
        connection.execute(text(LIMITS))
        connection.commit()
        context.configure(
            connection=connection, target_metadata=target_metadata, transaction_per_migration=True, compare_type=True
        )
        with context.begin_transaction():
            context.run_migrations()
        if connection.dialect.has_table(connection, "messages"):
            grant_to_app_role(connection)
        connection.commit()


run()
