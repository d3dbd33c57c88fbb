"""Logs for tests: cuts of the bundled ones, and one that is all of one person's."""

from __future__ import annotations

import json
from pathlib import Path

from app.cli.replay import script


def cut(name: str, count: int | None, folder: Path) -> script.Script:
    """Read a bundled log, or its last ``count`` lines (there the replies are) after all those with odd characters."""
    path = script.find(name)
    if count is None:
        return script.read(path)
    rows = path.read_text(encoding="utf-8").split("\n")[:-1]
    odd = [row for row in rows[:-count] if not _is_plain(json.loads(row)["text"])]
    shorter = folder / path.name
    shorter.write_text("\n".join([*odd, *rows[-count:]]), encoding="utf-8")
    return script.read(shorter)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def one_talker(count: int, folder: Path) -> script.Script:
    """Make a log in which one person says everything, faster than the limits allow."""
    rows = [
        {
            "line": number,
            "ts": "2009-02-23T07:35:00Z",
            "nick": "[Talker]^",
            "kind": "text",
            "text": f" {number} \x1f",
            "reply_to": number - 1 if number % 7 == 0 and number else None,
        }
        for number in range(count)
    ]
    rows.insert(3, {**rows[0], "line": 900, "text": " \u3000\t"})
    rows.insert(5, {**rows[0], "line": 901, "text": "a\x00b"})
    path = folder / "one-talker.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return script.read(path)
