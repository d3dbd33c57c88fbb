"""What processes cost each other: throughput with one and with two, and the time of one that serves nobody.

`python -m bench processes`. Beside the processes that serve stands another, as on a second machine, without a client. With
``--older FOLDER`` one more of another version of the project, so that both are measured in turn.
"""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench import people
from bench.measure import usage
from bench.stack import SECRET, Stack, prepared
from bench.work import PARLEY, Load
from embedded.children import end_with_parent, free_port

ROOMS, MEMBERS = 50, 10
REST_S = 3.0
IDLE = "a process without a client"
IDLE_OLDER = "the same of the other version"
Result = dict[str, Any]


def measure(
    folder: Path, *, rounds: int, seconds: float, older: Path | None, say: Callable[[str], None]
) -> list[Result]:
    """Measure with one and with two serving processes, in turn."""
    found = []
    for _ in range(rounds):
        for webs in (1, 2):
            found.append(_measured(folder, webs, seconds, None))
            if older is not None:
                found[-1] |= {IDLE_OLDER: _measured(folder, webs, seconds, older)[IDLE]}
            say("  ".join(f"{name} {value:.4g}" for name, value in found[-1].items()))
    return found


def table(results: Sequence[Result]) -> str:
    """Give the medians as a Markdown table."""
    names = [name for name in results[0] if name != "webs"]
    lines = ["| CPU ms per 1,000 messages, but for the first line | 1 web process | 2 web processes |", "|---|---|---|"]
    for name in names:
        cells = [statistics.median(r[name] for r in results if r["webs"] == webs) for webs in (1, 2)]
        lines.append(f"| {name} | {cells[0]:.3g} | {cells[1]:.3g} |")
    return "\n".join(lines) + "\n"


def _measured(folder: Path, webs: int, seconds: float, older: Path | None) -> Result:
    with prepared(folder, mode="behind", webs=webs) as stack:
        stack.start()
        with _idle(stack, older) as idle:
            assert stack.web is not None
            serving = [child.pid for child in psutil.Process(stack.web.pid).children()] or [stack.web.pid]
            watched = {"serving": serving, "worker": [stack.pids()["worker"]], IDLE: [idle]}
            time.sleep(REST_S)
            at_rest = _cpu_of(watched, lambda: time.sleep(REST_S))
            crowd = people.make(stack.superuser_url, SECRET, rooms=ROOMS, members=MEMBERS)
            load = Load(stack.port, PARLEY, crowd, list(stack.pids().values()))
            load.connect()
            load.net.pump(time.perf_counter() + REST_S)  # what coming has set off
            closed, began = {}, time.perf_counter()
            spent = _cpu_of(watched, lambda: closed.update(load.closed(seconds)))
            took = time.perf_counter() - began
            load.close()
    own = {name: (s - at_rest[name] / REST_S * took) * 1e6 / len(load.sent) for name, s in spent.items()}
    return {"webs": webs, "messages/s": closed["messagesPerS"], **own}


def _cpu_of(processes: dict[str, Any], work: Callable[[], object]) -> dict[str, float]:
    before = {name: usage(pids) for name, pids in processes.items()}
    work()
    return {name: (usage(pids) - before[name]).cpu_s for name, pids in processes.items()}


@contextmanager
def _idle(stack: Stack, older: Path | None) -> Iterator[int]:
    """Run another web process, on a port that nobody knows."""
    port = free_port()
    environ = stack.environ | {"PORT": str(port), "WEB_CONCURRENCY": "1"}
    root = older or Path(__file__).resolve().parent.parent
    with (stack.folder / f"idle{port}.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "wsgi.py"], cwd=root, env=environ, stdout=log, stderr=log,
                                   preexec_fn=end_with_parent(signal.SIGTERM))  # noqa: PLW1509  # fmt: skip
    try:
        stack.wait_for(f"http://127.0.0.1:{port}/readyz", process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)
