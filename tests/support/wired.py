"""The application inside the test's own process, on a database of its own and without Redis."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from flask import Flask
from psycopg2 import sql

from app.extensions import db
from app.factory import create_app
from config import load_config
from tests.support.stack import PASSWORD, ROOT

SECRET = "only-for-tests-" + "x" * 32


def at(superuser_url: str, *, name: str, role: str | None = None) -> str:
    """Give the address of a database on the test server, as a role (the superuser unless named)."""
    parts = urlsplit(superuser_url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{role}:{PASSWORD}@{host}" if role else parts.netloc
    return urlunsplit(parts._replace(netloc=netloc, path=f"/{name}"))


def make_role(superuser_url: str, role: str, powers: str = "NOSUPERUSER NOBYPASSRLS") -> None:
    """Make a role that can log in, with these powers."""
    with _superuser(superuser_url) as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
        verb = "ALTER" if cursor.fetchone() else "CREATE"
        command = sql.SQL(f"{verb} ROLE {{}} LOGIN {powers} PASSWORD {{}}")
        cursor.execute(command.format(sql.Identifier(role), sql.Literal(PASSWORD)))


def make_database(superuser_url: str, name: str, owner: str) -> None:
    """Make an empty database that a role owns."""
    with _superuser(superuser_url) as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        command = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0")
        cursor.execute(command.format(sql.Identifier(name), sql.Identifier(owner)))


@contextmanager
def _superuser(superuser_url: str) -> Iterator[psycopg2.extensions.cursor]:
    connection = psycopg2.connect(superuser_url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def migrate(environ: dict[str, str], *, to: str = "head") -> None:
    """Bring a database to a revision, as an operator does."""
    command = [sys.executable, "-m", "app.cli", "migrate", "--to", to]
    done = subprocess.run(command, env=environ, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def environ_for(url: str, owner_url: str = "", **more: str) -> dict[str, str]:
    """Give the variables of a Parley that writes through and knows no Redis."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CHAT_")}
    for name in ("REDIS_URL", "MESSAGE_LOG_REDIS_URL", "REDIS_PASSWORD", "DATABASE_OWNER_URL"):
        clean.pop(name, None)
    own = {"DATABASE_URL": url, "SECRET_KEY": SECRET, "CHAT_ENV": "test", "MESSAGE_WRITE_MODE": "through"}
    return {
        **clean,
        **own,
        **({"DATABASE_OWNER_URL": owner_url} if owner_url else {}),
        "PYTHONWARNINGS": "ignore",
        **more,
    }


@contextmanager
def inside(environ: dict[str, str]) -> Iterator[Flask]:
    """Wire the application of these variables into this process."""
    app = create_app(load_config(environ))
    try:
        yield app
    finally:
        db.engine.dispose()
