"""A large database beside an empty one: how long what people do takes on either, in turn.

`python -m bench large` fills a database once (10 million messages in 10,000 conversations; it is kept in the folder), then
measures both in the same run, call by call, so that a machine's slow minutes hit both alike.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
import psycopg2
import redis

from bench import people
from bench.filling import COMMON, RARE, fill
from bench.people import Crowd
from bench.stack import ROOT, SECRET, Stack, prepared

MEMBERS = 4
OWN = 200  # conversations of the one who is measured
SMALL_EACH = 100
TRIES, DRAINS = 60, 45
FILLED_WITHIN_S = 900
WARM_WITHIN_S = 120
Say = Callable[[str], None]


@dataclass
class Side:
    """One of the two: a running Parley, who is asked for, and the process that drains when told to."""

    stack: Stack
    crowd: Crowd
    each: int
    drainer: subprocess.Popen[str]

    def ask(self, path: str, body: Any = None) -> Any:
        """Make a call below /api."""
        headers = {"Authorization": f"Bearer {self.crowd.tokens[0]}", "Content-Type": "application/json"}
        encoded = None if body is None else orjson.dumps(body)
        request = urllib.request.Request(f"http://127.0.0.1:{self.stack.port}/api{path}", encoded, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - ours
            return orjson.loads(answer.read())

    def until_known(self) -> None:
        """Wait for the worker to have noted the ids that were written behind its back: sends ask the database until then."""
        log = redis.Redis.from_url(self.stack.environ["MESSAGE_LOG_REDIS_URL"])
        end = time.monotonic() + FILLED_WITHIN_S
        while not log.exists("seen:complete") and time.monotonic() < end:
            time.sleep(0.5)

    def drain(self) -> float:
        """Have 500 messages of 50 conversations accepted, then moved in one batch; gives its milliseconds."""
        assert self.drainer.stdin is not None
        assert self.drainer.stdout is not None
        self.drainer.stdin.write("go\n")
        self.drainer.stdin.flush()
        return float(self.drainer.stdout.readline())


def prepare(folder: Path, *, messages: int, conversations: int, say: Say) -> None:
    """Fill the large database, once."""
    for name, rooms, each in (("small", OWN, SMALL_EACH), ("large", conversations, messages // conversations)):
        note = folder / name / "crowd.json"
        if note.exists():
            continue
        with prepared(folder / name, mode="behind") as stack:
            crowd = _crowd(stack.superuser_url, rooms)
            took = fill(stack.superuser_url, crowd.rooms, crowd.people, each, say)
        note.write_text(json.dumps({"each": each, "filledS": took, "crowd": asdict(crowd)}))
        say(f"{name}: {each * rooms:,} messages in {took:.0f} s")


def measure(folder: Path, *, say: Say) -> dict[str, Any]:
    """Measure both; gives milliseconds (medians) of each."""
    with ExitStack() as opened:
        sides = {name: _opened(opened, folder / name) for name in ("small", "large")}
        for name, side in sides.items():
            began = time.monotonic()
            side.until_known()
            say(f"{name}: the filter of known ids was filled {time.monotonic() - began:.0f} s after the start")
        found: dict[str, dict[str, float]] = {}
        for what, calls in _calls(sides).items():
            found[what] = _in_turn(calls, DRAINS if what.startswith("drain") else TRIES)
            say(f"{what:40} " + "  ".join(f"{ms:8.2f}" for ms in found[what].values()))
    notes = json.loads((folder / "large" / "crowd.json").read_text())
    count = notes["each"] * len(notes["crowd"]["rooms"])
    return {"messages": count, "conversations": len(notes["crowd"]["rooms"]), "filledS": notes["filledS"], "ms": found}


def table(result: dict[str, Any]) -> str:
    """Give the measurements as a Markdown table."""
    lines = [f"| milliseconds | empty | {result['messages']:,} messages | ratio |", "|---|---|---|---|"]
    for name, ms in result["ms"].items():
        lines.append(f"| {name} | {ms['small']:.1f} | {ms['large']:.1f} | {ms['large'] / ms['small']:.2f} |")
    return "\n".join(lines) + "\n"


def _opened(opened: ExitStack, folder: Path) -> Side:
    notes = json.loads((folder / "crowd.json").read_text())
    stack = opened.enter_context(prepared(folder, mode="behind"))
    _warm(stack.superuser_url)
    stack.start()
    crowd = Crowd(**notes["crowd"])
    rooms, senders = crowd.rooms[:50], crowd.people[: 50 * MEMBERS : MEMBERS]
    # row security hides nothing from this; the web process and the worker of this stack do not hear of it
    command = [sys.executable, "-m", "bench.drained", *(f"{r}:{s}" for r, s in zip(rooms, senders, strict=True))]
    drainer = subprocess.Popen(
        command, cwd=ROOT, env=stack.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    opened.callback(drainer.kill)
    return Side(stack, crowd, notes["each"], drainer)


def _warm(superuser_url: str) -> None:
    """Read the indexes that every message is written into: a database in use has them in memory, one just started has not."""
    connection = psycopg2.connect(superuser_url)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
        cursor.execute("SELECT pg_prewarm(indexrelid, 'read') FROM pg_index WHERE indrelid = 'messages'::regclass")
    connection.close()


def _calls(sides: dict[str, Side]) -> dict[str, dict[str, Callable[[], object]]]:
    """Name what is measured; each call knows its side."""

    def of(path: Callable[[Side], str]) -> dict[str, Callable[[], object]]:
        return {name: lambda s=side: s.ask(path(s)) for name, side in sides.items()}

    def room(side: Side) -> str:
        return side.crowd.rooms[0]

    calls: dict[str, dict[str, Callable[[], object]]] = {
        "list of conversations": of(lambda _: "/conversations?limit=50"),
        "one conversation": of(lambda s: f"/conversations/{room(s)}"),
        "history, newest page": of(lambda s: f"/conversations/{room(s)}/messages?limit=50"),
        "history, a page from the middle": of(
            lambda s: f"/conversations/{room(s)}/messages?limit=50&before={s.each // 2}"
        ),
        "rejoin, 50 missed": of(lambda s: f"/rooms/{room(s)}/rejoin?after={s.each - 50}"),
        "unread count of all": of(lambda _: "/messages/unread-count"),
        "unread count of one": of(lambda s: f"/messages/unread-count?conversationId={room(s)}"),
        "search in one conversation": of(lambda s: f"/search?q={COMMON}&conversationId={room(s)}"),
        "search everywhere, a common word": of(lambda _: f"/search?q={COMMON}"),
        "search everywhere, a rare word": of(lambda _: f"/search?q={RARE}"),
        "send (the ack)": {name: lambda s=side: _send(s) for name, side in sides.items()},
    }
    for side in sides.values():
        side.ask(f"/conversations/{room(side)}/messages?limit=1")
    calls["drain, 500 messages of 50 conversations"] = {name: side.drain for name, side in sides.items()}
    return calls


def _send(side: Side) -> None:
    body = {"conversationId": side.crowd.rooms[0], "content": "a line", "clientMessageId": str(uuid.uuid4())}
    side.ask("/messages/send", body)


def _in_turn(calls: dict[str, Callable[[], object]], tries: int) -> dict[str, float]:
    """Time each call, turn by turn; a call that gives a number of milliseconds has timed itself."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        _warmed(call)
    for _ in range(tries):
        for name, call in calls.items():
            began = time.perf_counter()
            own = call()
            took[name].append(own if isinstance(own, float) else (time.perf_counter() - began) * 1000)
    return {name: statistics.median(times) for name, times in took.items()}


def _warmed(call: Callable[[], object]) -> None:
    """Make a call once as practice, again where what it reads comes too slowly from the disk and it is refused for now."""
    end = time.monotonic() + WARM_WITHIN_S
    while True:
        try:
            call()
        except urllib.error.HTTPError as refusal:
            if refusal.code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > end:
                raise
        else:
            return


def _crowd(superuser_url: str, conversations: int) -> Crowd:
    """Make conversations, of which the first of their people is in 200."""
    crowd = people.make(superuser_url, SECRET, rooms=conversations, members=MEMBERS)
    step = max(1, conversations // OWN)
    with psycopg2.connect(superuser_url) as connection, connection.cursor() as cursor:
        rooms = crowd.rooms[step::step][: OWN - 1]
        people.copy(cursor, "memberships (conversation_id, profile_id, role, joined_at)",
                    ((room, crowd.people[0], "member", "now") for room in rooms))  # fmt: skip
    connection.close()
    return crowd
