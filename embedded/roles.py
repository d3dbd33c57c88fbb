"""The roles of the embedded database, as a careful operator would make them.

The application's own role may not skip row security and owns nothing; the owner makes the tables; the superuser is for
this module (and for tests that make databases of their own).
"""

from collections.abc import Callable

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection, cursor

SUPERUSER = "postgres"
OWNER = "parley_owner"
APP = "parley_app"
DATABASE = "parley"

_LOGIN = sql.SQL(
    "ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {password}"
)
_GRANTS = """
    REVOKE ALL ON DATABASE parley FROM PUBLIC;
    GRANT CONNECT, TEMPORARY ON DATABASE parley TO parley_app;
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    GRANT CREATE, USAGE ON SCHEMA public TO parley_owner;
    GRANT USAGE ON SCHEMA public TO parley_app;
    ALTER DEFAULT PRIVILEGES FOR ROLE parley_owner IN SCHEMA public
        GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO parley_app;
    ALTER DEFAULT PRIVILEGES FOR ROLE parley_owner IN SCHEMA public
        GRANT USAGE ON SEQUENCES TO parley_app;
"""


def prepare(cluster_url: str, database_url: str, password: Callable[[str], str]) -> None:
    """Make the roles and the database, or put right what is there; the addresses are the superuser's."""
    with _connected(cluster_url) as cluster:
        for role in (OWNER, APP):
            _make_role(cluster, role, password(role))
        _make_database(cluster)
    with _connected(database_url) as database:
        database.execute(_GRANTS)


class _connected:  # noqa: N801
    """A cursor that commits each statement by itself; the connection is closed at the end."""

    def __init__(self, url: str) -> None:
        self._connection: connection = psycopg2.connect(url, connect_timeout=10)
        self._connection.autocommit = True

    def __enter__(self) -> cursor:
        return self._connection.cursor()

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _make_role(cluster: cursor, role: str, password: str) -> None:
    cluster.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    if cluster.fetchone() is None:
        cluster.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    cluster.execute(_LOGIN.format(role=sql.Identifier(role), password=sql.Literal(password)))


def _make_database(cluster: cursor) -> None:
    cluster.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
    if cluster.fetchone() is None:
        cluster.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
