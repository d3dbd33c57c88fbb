"""Run migrations as the tables' owner, and let the application's role use what they make.

Two roles (``DATABASE_OWNER_URL`` beside ``DATABASE_URL``) or one: the policies hold in both, see docs/decisions.
"""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

config = current_app.extensions["parley_config"]
target_metadata = current_app.extensions["migrate"].db.metadata


def grant_to_app_role(connection) -> None:
    """Give the application's role the rows, not the tables."""
    owner, role = make_url(config.database_owner_url).username, make_url(config.database_url).username
    if role and role != owner:
        quoted = connection.dialect.identifier_preparer.quote(role)
        for statement in (
            "GRANT USAGE ON SCHEMA public TO ",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ",
            "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO ",
        ):
            connection.execute(text(statement + quoted))
        connection.execute(text("REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM " + quoted))


def run() -> None:
    """Upgrade or downgrade in one transaction a revision, giving up rather than blocking the running release."""
    engine = create_engine(config.sqlalchemy_owner_url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '4s'; SET statement_timeout = '5s'; SET search_path = public"))
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
