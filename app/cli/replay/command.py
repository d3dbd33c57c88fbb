"""The verb: ``python -m app.cli replay``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click
import requests
from rich.console import Console

from app.cli.replay import report, script
from app.cli.replay.account import ANSWER_WITHIN_S, Lost, Refused
from app.cli.replay.performance import Outcome, Performance
from app.cli.replay.script import Script


def _default_url() -> str:
    return f"http://127.0.0.1:{os.environ.get('PORT') or 5000}"


def _speed(_context: Any, _parameter: Any, value: str) -> float | None:
    try:
        speed = None if value == "max" else float(value)
    except ValueError:
        speed = 0.0
    if speed is not None and not 0 < speed < float("inf"):
        raise click.BadParameter("must be a number above 0 (times real time) or max")
    return speed


def _urls(_context: Any, _parameter: Any, values: Sequence[str]) -> list[str]:
    return [value.rstrip("/") for value in values] or [_default_url()]


@click.command()
@click.option(
    "--url", "urls", multiple=True, callback=_urls, help="A web process; give it again to spread the clients."
)
@click.option(
    "--log", "logs", multiple=True, help="A log that comes with Parley, or a file; again for several at once."
)
@click.option("--speed", default="max", show_default=True, callback=_speed, help="Times real time, or max.")
@click.option("--room", help="The slug of the room to make; by default the log's name and a tag.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many messages of each log.")
def replay(urls: list[str], logs: Sequence[str], speed: float | None, room: str | None, limit: int | None) -> None:
    """Replay real chat logs through a running Parley and compare what everybody then holds with the log.

    Each nick is a client of its own; lines are sent in their order, each when the one before is accepted. Exits with 1
    where anything differs.
    """
    if room and len(logs) > 1:
        raise click.UsageError("--room names one room: give one --log with it.")
    console = Console()
    scripts = [_read(name, limit) for name in logs or script.bundled()[:1]]
    _knock(urls)
    if not report.show(console, _perform(console, scripts, urls, speed, room)):
        raise SystemExit(1)


def _read(name: str, limit: int | None) -> Script:
    try:
        return script.read(script.find(name), limit=limit)
    except FileNotFoundError:
        raise click.ClickException(
            f"There is no log {name}; these come with Parley: {', '.join(script.bundled())}."
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"{name} is not such a log: {error!r}.") from error


def _knock(urls: list[str]) -> None:
    """Find out at once, without the patience of a replay, that nobody is there."""
    for url in urls:
        try:
            requests.get(f"{url}/healthz", timeout=ANSWER_WITHIN_S)
        except requests.RequestException as error:
            raise click.ClickException(
                f"Nothing answers at {url}: start Parley (make run), or name it (--url)."
            ) from error


def _perform(
    console: Console, scripts: list[Script], urls: list[str], speed: float | None, room: str | None
) -> list[Outcome]:
    """Replay all scripts at the same time, each in its room."""
    with report.bars(console) as progress, ThreadPoolExecutor(len(scripts)) as pool:
        runs = [
            pool.submit(Performance(one, urls, tell=report.teller(progress, one.name), speed=speed, room=room).run)
            for one in scripts
        ]
        try:
            return [run.result() for run in runs]
        except (Refused, Lost, TimeoutError) as error:
            raise click.ClickException(f"The replay could not go on: {error}") from error
        except KeyboardInterrupt:
            progress.stop()
            os._exit(130)  # the replays' threads would go on to their end
