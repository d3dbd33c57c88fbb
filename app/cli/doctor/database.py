"""PostgreSQL: reached, new enough, a role that row security binds, the tables at their newest, and rows that stay hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg2
from alembic.script import ScriptDirectory

from app.cli.doctor.findings import Sick, first_line
from config import Config

CONNECT_S = 3
OLDEST = 14
ROOT = Path(__file__).parents[3]
# What libpq says, and what to do about it; ``{where}`` and ``{role}`` are of the address, never its password.
CURES = (
    ("password authentication failed", "PostgreSQL refuses the password of {role}: correct it in DATABASE_URL."),
    ("no password supplied", "PostgreSQL wants a password for {role}: put it into DATABASE_URL."),
    ("no pg_hba.conf entry", "PostgreSQL lets nobody in from here: add a line for {role} to its pg_hba.conf."),
    ("role ", "There is no role {role}: create it (docs/operations.md), or correct DATABASE_URL."),
    ("database ", "There is no such database at {where}: create it, or correct the name in DATABASE_URL."),
    ("Connection refused", "Nothing listens at {where}: start PostgreSQL (`make run` does), or correct DATABASE_URL."),
    ("No such file", "Nothing listens at {where}: start PostgreSQL (`make run` does), or correct DATABASE_URL."),
    ("could not translate", "The host of {where} has no address: correct DATABASE_URL."),
    ("timeout expired", "PostgreSQL at {where} does not answer: see that it runs and that no firewall is in between."),
    ("too many clients", "PostgreSQL takes no more connections: raise its max_connections, or run fewer processes."),
    ("starting up", "PostgreSQL is starting, or recovering: wait, then ask again."),
    ("shutting down", "PostgreSQL is shutting down: start it again."),
    ("SSL", "PostgreSQL and DATABASE_URL do not agree about TLS: set sslmode in DATABASE_URL."),
)  # fmt: skip
SERVER = (
    "SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_user, rolsuper,"
    " rolbypassrls FROM pg_roles WHERE rolname = current_user"
)
OPEN_TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    " AND relname <> 'alembic_version' AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY 1"
)
ROWS = "SELECT EXISTS (SELECT 1 FROM profiles) OR EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM messages)"
AS_SYSTEM = "SELECT set_config('parley.scope', 'system', true)"


def ask(config: Config, *statements: str) -> list[Any]:
    """Run statements in one transaction that is rolled back, and give the first row of each; raises Sick."""
    try:
        connection = psycopg2.connect(
            config.database_url,
            connect_timeout=CONNECT_S,
            options="-c statement_timeout=3000",
            application_name="doctor",
        )
    except psycopg2.OperationalError as error:
        raise Sick(_cure(config, error)) from error
    try:
        with connection.cursor() as cursor:
            answers = []
            for statement in statements:
                cursor.execute(statement)
                answers.append(cursor.fetchone())
            return answers
    except psycopg2.Error as error:
        raise Sick(f"PostgreSQL could not answer ({first_line(error)}): its log says more.") from error
    finally:
        connection.close()


def _cure(config: Config, error: psycopg2.OperationalError) -> str:
    known = psycopg2.extensions.parse_dsn(config.database_url)
    where = f"{known.get('host', 'the local socket')}:{known.get('port', '5432')}"
    said = str(error)
    for sign, cure in CURES:
        if sign in said:
            return cure.format(where=where, role=known.get("user", "the role"))
    return f"PostgreSQL at {where} cannot be reached ({first_line(error)}): correct DATABASE_URL."


def reached(config: Config) -> str:
    """Connect as the application does; the role must be one that row security binds."""
    (number, version, role, is_super, bypasses), *_ = ask(config, SERVER)
    if number // 10_000 < OLDEST:
        raise Sick(f"PostgreSQL {version} is too old: bring it to {OLDEST} or newer.")
    if is_super or bypasses:
        power = "a superuser" if is_super else "allowed to bypass row security"
        raise Sick(f"The role {role} is {power}, so nothing hides anybody's rows: name another in DATABASE_URL.")
    return f"PostgreSQL {version}, as {role}, whom row security binds"


def migrated(config: Config) -> str:
    """Compare the tables' revision with the newest one here."""
    newest = ScriptDirectory(str(ROOT / "migrations")).get_current_head()
    (there,), *_ = ask(config, "SELECT to_regclass('public.alembic_version') IS NOT NULL")
    held = ask(config, "SELECT version_num FROM alembic_version")[0] if there else None
    if held is None:
        raise Sick("The database has no tables yet: run `python -m app.cli migrate`.")
    if held[0] != newest:
        raise Sick(
            f"The tables are at revision {held[0]} and this Parley wants {newest}: run `python -m app.cli migrate`."
        )
    return f"the tables are at revision {newest}"


def hidden(config: Config) -> str:
    """See that without a context no row shows, that there would be some, and that no table was left open."""
    unprotected = ask(config, OPEN_TABLES)[0]
    if unprotected:
        raise Sick(
            f"Row security is off or not forced on {unprotected[0]}: ALTER TABLE … ENABLE, then FORCE ROW LEVEL SECURITY."
        )
    bare, _, full = ask(config, ROWS, AS_SYSTEM, ROWS)
    if bare[0]:
        raise Sick("Rows show without a context: a policy was changed by hand; restore it from the migrations.")
    if not full[0]:
        raise Sick("Row security hides everything, even from Parley itself: restore the policies from the migrations.")
    return "without a context no row shows, with one they do"
