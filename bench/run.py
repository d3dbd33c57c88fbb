"""One run of everything: the servers take turns, each starts fresh, so that a machine's slow minutes hit all alike."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from bench import people
from bench.awareness import Awareness
from bench.measure import usage
from bench.people import Crowd
from bench.stack import ROOT, SECRET, Stack, prepared
from bench.work import NAIVE, PARLEY, Load, Words
from embedded.children import end_with_parent, free_port

SHAPES = ((50, 10), (1, 500))
IDLE = (100, 10)
Results = dict[str, dict[str, list[Any]]]


def run(folder: Path, *, rounds: int, seconds: float, say: Callable[[str], None]) -> Results:
    """Measure Parley in both modes and the naive application; gives lists of results by server and work."""
    results: Results = {}
    for number in range(rounds):
        for server in ("naive", "parley behind", "parley through"):
            for work, result in _measured(server, folder, seconds):
                results.setdefault(server, {}).setdefault(work, []).append(result)
                say(f"{number + 1}/{rounds} {server:15} {work:14} {_brief(result)}")
    return results


def awareness(folder: Path, *, rounds: int, seconds: float, say: Callable[[str], None]) -> Results:
    """Measure only how soon others know of what somebody does, in both modes, in turn."""
    results: Results = {}
    for number in range(rounds):
        for mode in ("behind", "through"):
            with prepared(folder, mode=mode) as stack, _parley(stack) as (port, pids, _):
                result = Awareness(port, _crowd(stack, SHAPES[0]), pids).measure(seconds)
            results.setdefault(f"parley {mode}", {}).setdefault("awareness", []).append(result)
            say(f"{number + 1}/{rounds} {mode:8} load {os.getloadavg()[0]:.1f}  {_brief(result)}")
    return results


def _brief(result: dict[str, Any]) -> str:
    return "  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in result.items())


def median(results: list[dict[str, Any]], name: str) -> float:
    """Give the median of a number over the rounds."""
    return float(statistics.median(result[name] for result in results))


def _measured(server: str, folder: Path, seconds: float) -> Iterator[tuple[str, dict[str, Any]]]:
    mode = server.partition(" ")[2] or "through"
    start = _naive if server == "naive" else _parley
    with prepared(folder, mode=mode) as stack, start(stack) as (port, pids, words):
        yield from _works(server, stack, port, pids, words, seconds)


def _works(
    server: str, stack: Stack, port: int, pids: list[int], words: Words, seconds: float
) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "idle", _idle(stack, port, pids[:1], words)  # first: a process that has served already has memory to give
    for rooms, members in SHAPES:
        load = Load(port, words, people.make(stack.superuser_url, SECRET, rooms=rooms, members=members), pids)
        load.connect()
        yield f"closed {rooms}x{members}", load.closed(seconds)
        yield f"steady {rooms}x{members}", load.steady(50, seconds)
        load.close()
        fresh = Load(port, words, people.make(stack.superuser_url, SECRET, rooms=rooms, members=members), pids)
        fresh.connect()
        yield f"storm {rooms}x{members}", fresh.storm()
        fresh.close()
    if server != "naive":
        yield "awareness", Awareness(port, _crowd(stack, SHAPES[0]), pids).measure(seconds * 3)


def _crowd(stack: Stack, shape: tuple[int, int]) -> Crowd:
    return people.make(stack.superuser_url, SECRET, rooms=shape[0], members=shape[1])


def _idle(stack: Stack, port: int, pids: list[int], words: Words) -> dict[str, Any]:
    """Connect a thousand who do nothing: what does each cost the web process?"""
    load = Load(port, words, _crowd(stack, IDLE), pids)
    before = usage(pids)
    pace = load.connect()
    time.sleep(3)
    used = usage(pids) - before
    count = len(load.clients)
    load.close()
    return {
        "connectsPerS": pace,
        "kibPerClient": used.own_bytes / count / 1024,
        "cpuMsPerConnect": used.cpu_s * 1e3 / count,
    }


@contextmanager
def _parley(stack: Stack) -> Iterator[tuple[int, list[int], Words]]:
    stack.start()
    pids = stack.pids()
    yield stack.port, [pids.pop("web"), *pids.values()], PARLEY


@contextmanager
def _naive(stack: Stack) -> Iterator[tuple[int, list[int], Words]]:
    with psycopg2.connect(stack.superuser_url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS naive CASCADE")
    connection.close()
    port = free_port()
    url = stack.superuser_url.replace("postgresql://", "postgresql+psycopg2://", 1)
    with (stack.folder / "naive.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.naive", str(port)], cwd=ROOT, stdout=log, stderr=log,
            env={**os.environ, **stack.environ, "NAIVE_DATABASE_URL": url}, preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )  # fmt: skip
    try:
        stack.wait_for(f"http://127.0.0.1:{port}/socket.io/?EIO=4&transport=polling", process)
        yield port, [process.pid, *stack.servers.values()], NAIVE
    finally:
        process.kill()
        process.wait()
