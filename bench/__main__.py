"""`python -m bench`: what `make bench` runs, and its single parts."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import large, people, processes, report
from bench.run import awareness, run
from bench.stack import SECRET, prepared


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    verbs = parser.add_subparsers(dest="verb", required=True)
    serve = verbs.add_parser(
        "serve", help="a Parley with crowds to measure, until a signal; for another load generator"
    )
    serve.add_argument("--folder", type=Path, required=True)
    serve.add_argument("--mode", default="behind", choices=["behind", "through"])
    serve.add_argument("--port", type=int)
    serve.add_argument("--webs", type=int, default=1)
    serve.add_argument("--crowd", action="append", default=[], metavar="SETSxROOMSxMEMBERS")
    serve.add_argument("--services", type=Path, help="what `python -m embedded services` printed, to use those servers")
    everything = verbs.add_parser("run", help="measure everything, print a table, draw plots")
    everything.add_argument("--folder", type=Path, default=Path("instance/bench"))
    everything.add_argument("--rounds", type=int, default=3)
    everything.add_argument("--seconds", type=float, default=6)
    everything.add_argument(
        "--large", type=int, default=500_000, help="messages in the large database; 0 leaves it out"
    )
    aware = verbs.add_parser(
        "awareness", help="measure typing, receipts, presence and reconnects under a steady load only"
    )
    aware.add_argument("--folder", type=Path, default=Path("instance/bench"))
    aware.add_argument("--rounds", type=int, default=3)
    aware.add_argument("--seconds", type=float, default=18)
    many = verbs.add_parser("large", help="fill a database with messages (once) and measure beside an empty one")
    many.add_argument("--folder", type=Path, default=Path("instance/bench-large"))
    many.add_argument("--messages", type=int, default=10_000_000)
    many.add_argument("--conversations", type=int, default=10_000)
    many.add_argument("--only-fill", action="store_true")
    beside = verbs.add_parser("processes", help="measure one and two web processes, and one without a client")
    beside.add_argument("--folder", type=Path, default=Path("instance/bench-processes"))
    beside.add_argument("--rounds", type=int, default=3)
    beside.add_argument("--seconds", type=float, default=6)
    beside.add_argument("--older", type=Path, help="a folder with another version of the project, to measure beside")
    arguments = parser.parse_args()
    does = {"serve": _serve, "run": _run, "awareness": _awareness, "large": _large, "processes": _processes}
    does[arguments.verb](arguments)


def _large(arguments: argparse.Namespace) -> None:
    """Measure on a small and on a large database; both and the result are left in the folder."""
    say = partial(print, flush=True)
    large.prepare(arguments.folder, messages=arguments.messages, conversations=arguments.conversations, say=say)
    if not arguments.only_fill:
        print(_beside_large(arguments.folder, say))


def _beside_large(folder: Path, say: Callable[[str], None]) -> str:
    result = large.measure(folder, say=say)
    (folder / "large.json").write_text(json.dumps(result, indent=1))
    return large.table(result)


def _processes(arguments: argparse.Namespace) -> None:
    """Measure what processes cost each other."""
    wanted = {"rounds": arguments.rounds, "seconds": arguments.seconds, "older": arguments.older}
    results = processes.measure(arguments.folder, **wanted, say=partial(print, flush=True))
    (arguments.folder / "processes.json").write_text(json.dumps(results, indent=1))
    print(f"\n{processes.table(results)}")


def _run(arguments: argparse.Namespace) -> None:
    """Measure; the results, the table and the plots are left in the folder."""
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    say = partial(print, flush=True)
    results = run(folder, rounds=arguments.rounds, seconds=arguments.seconds, say=say)
    (folder / "results.json").write_text(json.dumps(results, indent=1))
    report.plots(results, folder)
    tables = report.table(results)
    if arguments.large:
        beside = folder / f"large-{arguments.large}"
        conversations = max(large.OWN, min(10_000, arguments.large // 100))
        large.prepare(beside, messages=arguments.large, conversations=conversations, say=say)
        tables += "\n" + _beside_large(beside, say)
    (folder / "table.md").write_text(tables)
    say(f"\n{tables}\nresults.json, table.md and plots are in {folder}")


def _awareness(arguments: argparse.Namespace) -> None:
    """Measure how soon others know; prints a table."""
    results = awareness(
        arguments.folder, rounds=arguments.rounds, seconds=arguments.seconds, say=partial(print, flush=True)
    )
    print(report.table(results))


def _serve(arguments: argparse.Namespace) -> None:
    """Serve; crowds.json in the folder has ``ROOMSxMEMBERS`` to files of tokens and rooms, and the processes."""
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    given = json.loads(arguments.services.read_text()) if arguments.services else None
    wanted = {"mode": arguments.mode, "webs": arguments.webs, "port": arguments.port, "given": given}
    with prepared(arguments.folder, **wanted) as stack:
        for crowd in arguments.crowd:
            sets, rooms, members = map(int, crowd.split("x"))
            for number in range(sets):
                base = arguments.folder / f"{rooms}x{members}.{number}"
                if not base.with_name(base.name + ".rooms").exists():
                    _write(base, stack.superuser_url, rooms, members)
        stack.start()
        (arguments.folder / "pids.json").write_text(json.dumps(stack.pids()))
        while not ending.wait(0.2):
            pass


def _write(base: Path, superuser_url: str, rooms: int, members: int) -> None:
    crowd = people.make(superuser_url, SECRET, rooms=rooms, members=members)
    base.with_name(base.name + ".rooms").write_text("".join(f"{room}\n" for room in crowd.rooms))
    pairs = zip(crowd.people, crowd.tokens, strict=True)
    base.with_name(base.name + ".tokens").write_text("".join(f"{one} {token}\n" for one, token in pairs))


if __name__ == "__main__":
    main()
