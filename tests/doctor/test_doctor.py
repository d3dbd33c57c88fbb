"""The doctor from outside: it leaves no trace; what is broken it names in time and without telling a secret."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tests.support.inside import Inside
from tests.support.stack import ROOT, Stack, free_port, until

WITHIN_S = 20
CHANGING = {"user_presence"}  # by jobs of the stack


def visit(environ: dict[str, str], *arguments: str) -> tuple[int, str, float]:
    """Run the doctor; gives (exit code, what it printed, seconds)."""
    began = time.monotonic()
    command = [sys.executable, "-m", "app.cli", "doctor", *arguments]
    done = subprocess.run(command, env=environ, cwd=ROOT, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr, time.monotonic() - began


def counts(inside: Inside) -> dict[str, int]:
    """Count the rows of every table."""
    tables = inside.rows("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
    return {t: int(inside.rows(f'SELECT count(*) FROM "{t}"')[0][0]) for (t,) in tables if t not in CHANGING}


@pytest.mark.parametrize("mode", ["behind"], indirect=True, scope="session")
def test_a_parley_that_is_well_is_found_so_and_nothing_is_left(stack: Stack, inside: Inside) -> None:
    inside.cache.set("beat:ticked", time.time(), ex=60)  # a stack has no beat
    until(lambda: inside.log.xlen("messages:log") == 0, what="the end of what tests before this one have sent")
    before = counts(inside)
    code, said, took_s = visit(stack.environ | {"PORT": str(stack.ports[0])})
    assert (code, "✗" in said) == (0, False), said
    assert "WELL" in said
    for name in ("PostgreSQL", "Row security", "Worker", "Beat", "Log to database", "Socket", "Proxies", "Clocks"):
        assert f"✓  {name}" in said
    assert counts(inside) == before
    assert took_s < WITHIN_S


@pytest.mark.parametrize("mode", ["behind"], indirect=True, scope="session")
def test_with_everything_down_it_says_so_in_time_and_tells_no_secret(stack: Stack) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    down = {
        "DATABASE_URL": f"postgresql://someone:hush-hush@{nobody}/parley",
        "DATABASE_OWNER_URL": f"postgresql://someone:hush-hush@{nobody}/parley",
        "REDIS_URL": f"redis://:mum-is-the-word@{nobody}/0",
        "MESSAGE_LOG_REDIS_URL": f"redis://:mum-is-the-word@{nobody}/0",
        "PORT": str(free_port()),
    }
    code, said, took_s = visit(stack.environ | down)
    assert code == 1
    for name in ("PostgreSQL", "Redis of the log", "Redis of the cache", "Web process"):
        assert f"✗  {name}" in said, said
    assert f"Nothing listens at {nobody}: start PostgreSQL" in said
    assert "–  Socket" in said
    assert not [word for word in ("hush", "mum-is", stack.environ["SECRET_KEY"], "Traceback") if word in said]
    assert took_s < WITHIN_S
