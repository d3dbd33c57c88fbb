"""A log is read as typed, and every nick gets a name of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli.replay import script
from tests.replay.cuts import one_talker

pytestmark = pytest.mark.fast


def written(folder: Path, *texts: str, nicks: list[str] | None = None) -> Path:
    path = folder / "log.jsonl"
    rows = [
        {
            "line": 10 + number,
            "ts": "2009-02-23T07:35:00Z",
            "nick": nicks[number] if nicks else "ann",
            "kind": "text",
            "text": text,
            "reply_to": 9 + number if number else None,
        }
        for number, text in enumerate(texts)
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def test_the_bundled_logs_are_three_with_replies_and_odd_characters_and_their_source() -> None:
    scripts = [script.read(script.find(name)) for name in script.bundled()]
    assert len(scripts) == 3
    assert all(len(one.lines) > 1000 and one.replies > 150 and one.oddities and not one.skipped for one in scripts)
    said = "".join(line.content for one in scripts for line in one.lines)
    assert any(ord(character) < 32 for character in said), "no stray control character is among them"
    attribution = (script.LOGS / "README.md").read_text()
    assert "Kummerfeld et al., ACL 2019" in attribution
    assert "CC BY 4.0" in attribution


def test_white_space_goes_from_both_ends_and_control_characters_stay() -> None:
    assert script.trim("\u3000\t a\u00a0b \x1f\n\u2029") == "a\u00a0b \x1f"
    assert script.trim("\x1c x \x1d") == "\x1c x \x1d"
    assert script.trim(" \u2003\x85 ") == ""


def test_what_cannot_be_said_is_left_out_and_listed_and_nothing_answers_it(tmp_path: Path) -> None:
    read = script.read(written(tmp_path, "a", " \t", "b", "x\x00y", "c", "z" * 4001, "\ud800"))
    assert [line.content for line in read.lines] == ["a", "b", "c"]
    assert [line.reply_to for line in read.lines] == [None, None, None]
    assert [number for number, _ in read.skipped] == [11, 13, 15, 16]
    assert [number for number, _ in one_talker(20, tmp_path).skipped] == [900, 901]


def test_nicks_become_usernames_that_differ_whatever_the_case(tmp_path: Path) -> None:
    nicks = ["Foo|bar", "foo_BAR", "^", "[", "x" * 60, "x" * 61, "ünï"]
    names = list(script.read(written(tmp_path, *nicks, nicks=nicks)).usernames.values())
    assert len({name.lower() for name in names}) == len(nicks)
    assert all(3 <= len(name) <= 30 and not script.NOT_IN_A_USERNAME.search(name) for name in names)


def test_the_lines_of_a_minute_are_spread_over_it(tmp_path: Path) -> None:
    lines = script.read(written(tmp_path, "a", "b", "c", "d")).lines
    assert [(line.at - lines[0].at).total_seconds() for line in lines] == [0, 15, 30, 45]
