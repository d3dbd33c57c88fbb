"""A log, read and made ready to be said: who says what under which name, and what cannot be said at all."""

from __future__ import annotations

import json
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

LOGS = Path(__file__).parent / "logs"
CONTENT_MAX = 4000
NICK_MAX = 24
NOT_IN_A_USERNAME = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class Line:
    """One message to send. ``at`` is when it was typed; ``reply_to`` the number of a line of this script, or None."""

    number: int
    at: datetime
    nick: str
    content: str
    reply_to: int | None
    client_message_id: str
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Script:
    """A log as it will be said. ``usernames`` maps each nick; ``skipped`` says of each line left out why."""

    name: str
    tag: str
    lines: list[Line]
    usernames: dict[str, str]
    skipped: list[tuple[int, str]]

    @property
    def replies(self) -> int:
        """How many lines answer another one."""
        return sum(line.reply_to is not None for line in self.lines)

    @property
    def oddities(self) -> int:
        """How many lines hold something beside printable ASCII."""
        return sum(not (line.content.isascii() and line.content.isprintable()) for line in self.lines)


def bundled() -> list[str]:
    """Name the logs that come with Parley."""
    return sorted(path.stem for path in LOGS.glob("*.jsonl"))


def find(name: str) -> Path:
    """Find a log by the name of a bundled one or by its path; raises FileNotFoundError."""
    for path in (LOGS / f"{name}.jsonl", Path(name)):
        if path.is_file():
            return path
    raise FileNotFoundError(name)


def read(path: Path, *, limit: int | None = None) -> Script:
    """Read the first ``limit`` messages of a log (all without it).

    Usernames end in a tag of their own, so that a log can be replayed again.
    """
    with path.open(encoding="utf-8", newline="\n") as file:
        rows = [json.loads(row) for row in file if row.strip()][:limit]
    reasons = [(row, _unsayable(trim(row["text"]))) for row in rows]
    said = [row for row, reason in reasons if reason is None]
    numbers = {row["line"] for row in said}
    tag = secrets.token_hex(2)
    return Script(
        name=path.stem,
        tag=tag,
        lines=[_line(row, at, numbers) for row, at in zip(said, _moments(said), strict=True)],
        usernames=_usernames(list(dict.fromkeys(row["nick"] for row in said)), tag),
        skipped=[(row["line"], reason) for row, reason in reasons if reason is not None],
    )


def trim(text: str) -> str:
    """Take Unicode white space off both ends, as the contract says: U+001C to U+001F, which ``strip`` takes too, stay."""
    start, end = 0, len(text)
    while start < end and _is_white(text[start]):
        start += 1
    while end > start and _is_white(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_white(character: str) -> bool:
    return character.isspace() and not "\x1c" <= character <= "\x1f"


def _unsayable(content: str) -> str | None:
    if not content:
        return "empty after trimming"
    if "\x00" in content:
        return "contains NUL"
    if any("\ud800" <= character <= "\udfff" for character in content):
        return "contains a lone surrogate"
    return f"longer than {CONTENT_MAX} characters" if len(content) > CONTENT_MAX else None


def _line(row: dict[str, Any], at: datetime, numbers: set[int]) -> Line:
    return Line(
        number=row["line"],
        at=at,
        nick=row["nick"],
        content=trim(row["text"]),
        reply_to=row["reply_to"] if row["reply_to"] in numbers and row["reply_to"] < row["line"] else None,
        client_message_id=str(uuid.uuid4()),
        metadata={"line": row["line"], "ts": row["ts"], "kind": row["kind"]},
    )


def _moments(rows: list[dict[str, Any]]) -> list[datetime]:
    """Give each message a moment: the log knows minutes, so those of one minute are spread over it."""
    moments: list[datetime] = []
    for minute, group in groupby(rows, key=lambda row: str(row["ts"])):
        count = len(list(group))
        start = datetime.fromisoformat(minute.replace("Z", "+00:00"))
        moments += [start + timedelta(minutes=index / count) for index in range(count)]
    return moments


def _usernames(nicks: list[str], tag: str) -> dict[str, str]:
    """Map nicks to valid usernames, different whatever the case."""
    taken: set[str] = set()
    names: dict[str, str] = {}
    for nick in nicks:
        base, number = NOT_IN_A_USERNAME.sub("_", nick)[: NICK_MAX - 3] or "_", 1
        name = base
        while name.lower() in taken:
            number += 1
            name = f"{base}{number}"
        taken.add(name.lower())
        names[nick] = f"{name}-{tag}"
    return names
