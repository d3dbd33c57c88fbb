"""A guard for what a message costs: a ratio to the naive application in one run, so a slow machine changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

from bench import people
from bench.work import NAIVE, PARLEY, Load, Words
from tests.support.modes import one_mode
from tests.support.stack import ROOT, Stack, _answers, free_port, until

pytestmark = one_mode
SECONDS = 2.5
ROOMS, MEMBERS = 4, 40
MOST = 0.75  # measured: 0.2 to 0.35


@pytest.fixture
def database(stack: Stack) -> str:
    parts = urlsplit(stack.services["PARLEY_TEST_SUPERUSER_URL"])
    return urlunsplit(parts._replace(path=f"/{stack.database}"))


@pytest.fixture
def naive(stack: Stack, database: str) -> Iterator[tuple[int, int]]:
    """The naive application: (port, process)."""
    port = free_port()
    url = database.replace("postgresql://", "postgresql+psycopg2://", 1)
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.naive", str(port)],
        cwd=ROOT, env={**os.environ, **stack.environ, "NAIVE_DATABASE_URL": url}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: _answers(f"http://127.0.0.1:{port}/socket.io/?EIO=4&transport=polling"), within_s=30, what="naive")
    yield port, process.pid
    process.kill()
    process.wait()
    connection = psycopg2.connect(database)
    with connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA naive CASCADE")
    connection.close()


def _measured(port: int, pids: list[int], words: Words, database: str, secret: str) -> dict[str, Any]:
    load = Load(port, words, people.make(database, secret, rooms=ROOMS, members=MEMBERS), pids)
    load.connect()
    result = load.closed(SECONDS, senders=8, warm_up_s=0.5)
    load.close()
    return result


def test_a_delivery_costs_a_fraction_of_the_naive_applications(
    stack: Stack, naive: tuple[int, int], database: str
) -> None:
    secret = stack.environ["SECRET_KEY"]
    processes = [process.running.pid for process in [*stack.webs, stack.worker] if process and process.running]
    ours = _measured(stack.ports[0], processes, PARLEY, database, secret)
    theirs = _measured(naive[0], [naive[1]], NAIVE, database, secret)
    assert theirs["complete"]
    assert ours["complete"] or ours["deliveriesPerS"] > theirs["deliveriesPerS"]
    ratio = ours["cpuMsPer1000"] / theirs["cpuMsPer1000"]
    assert ratio < MOST, f"a delivery costs {ratio:.2f} of the naive application's"
