"""Real logs through real clients, with processes killed meanwhile: everybody ends up with the log (I1 to I4, I6, I7).

``PARLEY_REPLAY_LINES=all`` replays the whole logs (a few minutes); docs/replay.md has what came of that.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from app.cli.replay import performance, reader, report, script
from app.cli.replay.command import replay
from app.cli.replay.performance import Outcome, Performance
from app.cli.replay.script import Script
from tests.replay.cuts import cut, one_talker
from tests.support.stack import Stack, free_port

LINES = os.environ.get("PARLEY_REPLAY_LINES", "70")


class Audience:
    """Hears how far all replays are, and calls what is to happen when a share of the lines has been said."""

    def __init__(self, total: int, happenings: list[tuple[float, Callable[[], object]]]) -> None:
        self._total, self._happenings = total, happenings
        self._done: dict[str, int] = {}
        self._moved = threading.Condition()
        self.happened = 0

    def teller(self, name: str) -> performance.Tell:
        def tell(what: str, done: int, of: int) -> None:
            with self._moved:
                if what == "messages":
                    self._done[name] = done
                self._moved.notify_all()

        return tell

    def watch(self) -> None:
        for share, happening in self._happenings:
            with self._moved:
                assert self._moved.wait_for(lambda share=share: self._share() >= share, timeout=1200)
            happening()
            self.happened += 1

    def _share(self) -> float:
        return sum(self._done.values()) / self._total


@pytest.fixture
def limited_stack(services: dict[str, str], template: str, mode: str, tmp_path: Path) -> Iterator[Stack]:
    """A stack of this test's own, in each write mode, with the rates of protocol section 8."""
    running = Stack.make(services, template, mode, tmp_path)
    running.environ["RATE_LIMITS_ENABLED"] = "true"
    # On a machine that is short of time a Redis that answers late must not count as away: then the sends of one process go
    # straight into the database, and only each sender's own order is promised (I4), not that between people.
    running.environ["REDIS_CONNECT_TIMEOUT"] = "5000"
    running.start()
    yield running
    running.end()


def perform(scripts: list[Script], stack: Stack, audience: Audience) -> list[Outcome]:
    with ThreadPoolExecutor(len(scripts) + 1) as pool:
        watching = pool.submit(audience.watch)
        runs = [pool.submit(Performance(one, stack.urls, tell=audience.teller(one.name)).run) for one in scripts]
        outcomes = [run.result() for run in runs]
        watching.result()
    return outcomes


@pytest.mark.slow
def test_three_logs_compare_equal_with_a_worker_and_a_web_process_killed(limited_stack: Stack, tmp_path: Path) -> None:
    stack = limited_stack
    assert stack.worker is not None
    count = None if LINES == "all" else int(LINES)
    scripts = [*(cut(name, count, tmp_path) for name in script.bundled()), one_talker(45, tmp_path)]
    total = sum(len(one.lines) for one in scripts)
    happenings = [
        (0.2, stack.worker.kill),
        (0.4, stack.webs[1].kill),
        (0.5, stack.webs[1].start),
        (0.7, stack.worker.start),
    ]
    audience = Audience(total, happenings)
    outcomes = perform(scripts, stack, audience)
    assert report.show(Console(width=200), outcomes), "see the differences above"
    assert audience.happened == len(happenings)
    assert sum(outcome.reconnections for outcome in outcomes) > 0, "nobody was connected to the killed process"
    assert sum(one.replies for one in scripts) > 100
    assert all(len(outcome.views) == 4 for outcome in outcomes)
    hasty = outcomes[-1]
    assert hasty.waits > 0 or hasty.seconds > 1.5, "45 messages with a burst of 30 and 10 a second need 1.5 s"


def invoke(stack: Stack, *arguments: str) -> tuple[int, str]:
    urls = [part for url in stack.urls for part in ("--url", url)]
    result = CliRunner().invoke(replay, [*urls, *arguments], env={"COLUMNS": "200"})
    return result.exit_code, result.output


def test_the_command_says_equal_and_a_planted_difference_makes_it_fail(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, output = invoke(stack, "--limit", "8", "--speed", "1000")
    assert code == 0, output
    assert "EQUAL: 8 messages" in output

    honest = reader.rejoin
    monkeypatch.setattr(reader, "rejoin", lambda *where: honest(*where)[:-1])
    code, output = invoke(stack, "--limit", "8")
    assert code == 1, output
    assert "is missing" in output
    assert "DIFFERENT: 1 differences" in output

    def swapped(*where: object) -> list[dict[str, object]]:
        first, second, *rest = honest(*where)  # type: ignore[arg-type]
        return [second, first, *rest]

    monkeypatch.setattr(reader, "rejoin", swapped)
    code, output = invoke(stack, "--limit", "8")
    assert code == 1, output
    assert "comes after line" in output


def test_the_command_explains_what_is_wrong(stack: Stack, tmp_path: Path) -> None:
    code, output = invoke(stack, "--log", "nothing")
    assert code == 1
    assert "these come with Parley" in output
    (tmp_path / "bad.jsonl").write_text("{}\n")
    assert "is not such a log" in invoke(stack, "--log", str(tmp_path / "bad.jsonl"))[1]
    nobody = CliRunner().invoke(replay, ["--url", f"http://127.0.0.1:{free_port()}"])
    assert nobody.exit_code == 1
    assert "Nothing answers" in nobody.output
    assert invoke(stack, "--speed", "fast")[0] == 2
    assert invoke(stack, "--room", "one", "--log", "a", "--log", "b")[0] == 2
