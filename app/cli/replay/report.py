"""What one sees of replays: bars while they run, then a table and a verdict."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.cli.replay.performance import Outcome, Tell

DIFFERENCES_SHOWN = 10


def bars(console: Console) -> Progress:
    """Make the progress display: a bar for each replay."""
    columns = ("{task.fields[log]}", "{task.description}")
    return Progress(*map(TextColumn, columns), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console)


def teller(progress: Progress, log: str) -> Tell:
    """Make what moves one replay's bar."""
    task = progress.add_task("accounts", log=log, total=None)
    lock = threading.Lock()

    def tell(what: str, done: int, of: int) -> None:
        with lock:
            progress.update(task, description=what, completed=done, total=of)

    return tell


def show(console: Console, outcomes: Sequence[Outcome]) -> bool:
    """Print what came of replays; tells whether everything is equal."""
    console.print(_went(outcomes), _views(outcomes))
    for outcome in outcomes:
        for number, reason in outcome.script.skipped:
            console.print(f"{outcome.script.name}: line {number} skipped: {reason}", markup=False)
        for name, (_, found) in outcome.views.items():
            for sentence in found[:DIFFERENCES_SHOWN]:
                console.print(f"{outcome.script.name}, {name}: {sentence}", markup=False)
    return _verdict(console, outcomes)


def _went(outcomes: Sequence[Outcome]) -> Table:
    table = Table(title="How it went")
    for column in ("log", "people", "messages", "replies", "not plain ASCII", "skipped", "seconds", "a second"):
        table.add_column(column, justify="left" if column == "log" else "right")
    for column in ("reconnections", "resent", "waits"):
        table.add_column(column, justify="right")
    for outcome in outcomes:
        script, seconds = outcome.script, outcome.seconds
        numbers = (len(script.usernames), len(script.lines), script.replies, script.oddities, len(script.skipped))
        after = (outcome.reconnections, outcome.resent, outcome.waits)
        rate = f"{len(script.lines) / max(seconds, 0.001):.0f}"
        table.add_row(script.name, *map(str, numbers), f"{seconds:.1f}", rate, *map(str, after))
    return table


def _views(outcomes: Sequence[Outcome]) -> Table:
    table = Table(title="What they hold, compared with the log")
    for column in ("log", "who", "messages", "differences"):
        table.add_column(column, justify="left" if column in ("log", "who") else "right")
    for outcome in outcomes:
        for name, (count, found) in outcome.views.items():
            how = ", ".join(f"{n} {what}" for what, n in outcome.heard.items()) if name == "listener" else "came late"
            table.add_row(
                outcome.script.name, f"{name} ({how})", f"{count} of {len(outcome.script.lines)}", str(len(found))
            )
    return table


def _verdict(console: Console, outcomes: Sequence[Outcome]) -> bool:
    differences = sum(outcome.differences for outcome in outcomes)
    messages = sum(len(outcome.script.lines) for outcome in outcomes)
    if differences:
        console.print(f"DIFFERENT: {differences} differences in {messages} messages.", style="bold red")
    else:
        console.print(f"EQUAL: {messages} messages, each once, in order, as typed.", style="bold green")
    return differences == 0
