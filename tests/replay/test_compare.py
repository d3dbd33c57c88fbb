"""The comparison finds each kind of difference: it can fail."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli.replay import compare
from app.cli.replay.script import Script
from tests.replay.cuts import one_talker

pytestmark = pytest.mark.fast
Event = dict[str, Any]


@pytest.fixture
def played(tmp_path: Path) -> Script:
    return one_talker(16, tmp_path)


def answer(script: Script) -> list[Event]:
    """What a correct server gives: line 6 begins a thread that lines 7 and, through no other, 14 do not share."""
    events: dict[int, Event] = {}
    for seq, line in enumerate(script.lines, start=1):
        target = events[line.reply_to] if line.reply_to is not None else None
        events[line.number] = {
            "id": f"m{line.number}",
            "clientMessageId": line.client_message_id,
            "seq": seq,
            "changedSeq": seq,
            "content": line.content,
            "messageType": "text",
            "metadata": line.metadata,
            "sender": {"username": script.usernames[line.nick]},
            "replyToId": target["id"] if target else None,
            "threadRootId": (target["threadRootId"] or target["id"]) if target else None,
            "replyCount": 0,
            "isEdited": False,
            "deletedAt": None,
            "persisted": True,
        }
        if target:
            events[int(str(events[line.number]["threadRootId"])[1:])]["replyCount"] += 1
    return list(events.values())


def swap(events: list[Event]) -> None:
    events[4], events[5] = events[5], events[4]


def swap_with_places(events: list[Event]) -> None:
    swap(events)
    events[4]["seq"], events[5]["seq"] = events[5]["seq"], events[4]["seq"]


PLANTED: dict[str, tuple[Callable[[list[Event]], object], str]] = {
    "a dropped line": (lambda events: events.pop(3), "line 3 is missing"),
    "the last line dropped": (lambda events: events.pop(), "line 15 is missing"),
    "a repeated line": (lambda events: events.insert(5, events[3]), "line 3 is there 2 times"),
    "two lines swapped": (swap, "line 4 comes after line 5"),
    "two lines and their places swapped": (swap_with_places, "line 4 comes after line 5"),
    "a stranger's line": (lambda events: events.append({**events[3], "clientMessageId": "x"}), "message x is not in"),
    "a lost control character": (lambda events: events[3].update(content="3"), "line 3: content is '3' instead of"),
    "a reply to another line": (lambda events: events[7].update(replyToId="m1"), "line 7: replyToId is 'm1'"),
    "a reply to nothing": (lambda events: events[7].update(replyToId=None), "line 7: replyToId is None"),
    "an invented reply": (lambda events: events[3].update(replyToId="m1"), "line 3: replyToId is 'm1'"),
    "a wrong count of replies": (lambda events: events[6].update(replyCount=2), "line 6: replyCount is 2"),
    "another sender": (lambda events: events[3].update(sender={"username": "eve"}), "line 3: sender is 'eve'"),
    "a hole in the positions": (lambda events: events[3].update(seq=99), "the message at place 4 has seq 99"),
    "one that is not persisted": (lambda events: events[3].update(persisted=False), "is not persisted"),
    "a tombstone": (lambda events: events[3].update(deletedAt="2020"), "line 3: deletedAt is '2020'"),
}


def test_a_correct_answer_is_equal(played: Script) -> None:
    assert played.replies == 2
    assert compare.differences(played, answer(played)) == []


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_difference_is_found(played: Script, what: str) -> None:
    plant, sentence = PLANTED[what]
    events = copy.deepcopy(answer(played))
    plant(events)
    assert any(sentence in found for found in compare.differences(played, events))


def test_a_view_that_missed_a_change_is_stale(played: Script) -> None:
    fresh = answer(played)
    kept = copy.deepcopy(fresh)
    assert compare.stale(kept, fresh) == []
    kept[6]["changedSeq"] = 1
    assert compare.stale(kept, fresh) == ["message m6: changedSeq is 1 and freshly loaded 7"]
