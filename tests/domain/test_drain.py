"""The drain: twice, two at once, stopped anywhere or fed an old copy of the log, the result is the same."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from app.domain import drain
from app.domain.commit import Submission, apply
from app.kernel.ids import message_id
from app.live import drainers, log
from app.tasks import BEAT
from tests.domain.conftest import Aside, at_once

TABLES = ("messages", "mentions", "dead_letters", "read_marks")


def rows(aside: Aside, room: str) -> list[Any]:
    return aside.inside.rows(
        "SELECT id, seq, changed_seq, content, reply_count FROM messages WHERE conversation_id = %s ORDER BY seq", room
    )


def draft_like(accepted: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A draft as an accept would have put it into the log, with a new id and these differences."""
    key = uuid.uuid4()
    derived = message_id(uuid.UUID(changed.get("senderId", accepted["senderId"])), key)
    return {**accepted, "id": str(derived), "clientMessageId": str(key), **changed}


def test_what_was_accepted_is_committed_in_its_order_told_and_taken_out(aside: Aside, name: str) -> None:
    room = aside.room(name)
    accepted = [aside.accept(room, f"line {n}", (aside.ann, aside.ben)[n % 2]) for n in range(5)]
    assert aside.log_length() == 5
    assert rows(aside, room) == []
    aside.drain()
    assert [(str(row[0]), row[1]) for row in rows(aside, room)] == [(m["id"], n + 1) for n, m in enumerate(accepted)]
    assert aside.log_length() == 0
    told = [(event, data["id"], data["seq"]) for event, data in aside.emitted(room)]
    assert told == [("message", m["id"], n + 1) for n, m in enumerate(accepted)]


def test_a_drain_fed_an_old_copy_of_the_log_changes_nothing(aside: Aside, name: str) -> None:
    room = aside.room(name)
    for n in range(3):
        aside.accept(room, f"line {n}")
    copy = [entry.event for entry in log.read()[0]]
    aside.drain()
    aside.call(aside.ann, "PATCH", f"/messages/{copy[0]['id']}", {"content": "edited since"})
    aside.call(aside.ann, "DELETE", f"/messages/{copy[1]['id']}")
    before, head = rows(aside, room), aside.inside.head(room)
    aside.emitted(room)
    for _ in range(2):
        for event in copy:
            aside.inside.log_entry(dict(event))
        aside.drain()
        assert rows(aside, room) == before
        assert aside.inside.head(room) == head == 5
        assert aside.log_length() == 0
        told = aside.emitted(room)
        assert {data["id"]: data for _, data in told} == {m["id"]: m for m in aside.history(room)}


def test_a_drainer_that_died_after_its_commit_is_made_up_for(aside: Aside, name: str) -> None:
    room = aside.room(name)
    accepted = [aside.accept(room, f"line {n}") for n in range(3)]
    apply([Submission(entry.event) for entry in log.read()[0]])  # and nobody was told, and nothing settled
    assert aside.emitted(room) == []
    aside.drain()
    assert [data["id"] for _, data in aside.emitted(room)] == [m["id"] for m in accepted]
    assert [row[1] for row in rows(aside, room)] == [1, 2, 3]
    assert aside.log_length() == 0


def test_two_drains_at_once_commit_everything_once(aside: Aside, name: str) -> None:
    room = aside.room(name)
    for round_ in range(3):
        accepted = [aside.accept(room, f"line {n}") for n in range(20)]
        entries = log.read()[0]
        batches = [[Submission(entry.event) for entry in entries] for _ in range(3)]
        at_once(*[lambda batch=batch: apply(batch) for batch in batches], aside.drain)
        aside.drain()
        found = rows(aside, room)[20 * round_ :]
        assert [str(row[0]) for row in found] == [m["id"] for m in accepted]
    assert [row[1] for row in rows(aside, room)] == list(range(1, 61))
    assert aside.inside.head(room) == 60


def test_a_drain_and_a_direct_write_of_the_same_messages_agree(aside: Aside, name: str) -> None:
    room, other = aside.room(name), aside.room(name + "2")
    accepted = [aside.accept((room, other)[n % 2], f"line {n}") for n in range(20)]
    entries = log.read()[0]
    halves = [[Submission(e.event) for e in entries[n::2]] for n in range(2)]
    at_once(aside.drain, lambda: apply(halves[0][::-1]), lambda: apply(halves[1]))
    aside.drain()
    kept = [str(row[0]) for row in rows(aside, room) + rows(aside, other)]
    assert sorted(kept) == sorted(m["id"] for m in accepted)
    assert [row[1] for row in rows(aside, room)] == [row[1] for row in rows(aside, other)] == list(range(1, 11))


def test_the_safety_net_drains_what_was_left_lying(aside: Aside, name: str) -> None:
    assert BEAT["persistence.drain"]["task"] in aside.app.extensions["celery"].tasks
    room = aside.room(name)
    accepted = aside.accept(room, "left lying")
    task = aside.app.extensions["celery"].tasks["persistence.drain"]
    for _ in range(2):  # a task can be run twice
        task()
        assert [(str(row[0]), row[1]) for row in rows(aside, room)] == [(accepted["id"], 1)]
    assert aside.log_length() == 0


# what cannot be stored ----------------------------------------------------------------------------------------------------
POISON: dict[str, dict[str, Any]] = {
    "too long": {"content": "x" * 4001},
    "empty": {"content": ""},
    "NUL": {"content": "a\x00b"},
    "NUL in metadata": {"metadata": {"a": "b\x00c"}},
    "unknown type": {"messageType": "poison"},
    "no such sender": {"senderId": str(uuid.uuid4())},
    "no such conversation": {"conversationId": str(uuid.uuid4())},
    "no such root": {"replyToId": str(uuid.uuid4()), "threadRootId": str(uuid.uuid4())},
    "no date": {"createdAt": "yesterday, perhaps"},
}


@pytest.mark.parametrize("kind", POISON)
def test_a_poisoned_entry_is_set_aside_and_the_rest_is_committed(aside: Aside, name: str, kind: str) -> None:
    room = aside.room(name)
    first = aside.accept(room, "before the poison")
    poison = draft_like(first, **POISON[kind])
    aside.inside.log_entry(poison)
    last = aside.accept(room, "after the poison")
    aside.drain()
    assert aside.log_length() == 0
    assert [(m["id"], m["seq"]) for m in aside.history(room)] == [(first["id"], 1), (last["id"], 2)]
    kept = aside.inside.rows("SELECT entry, reason FROM dead_letters WHERE message_id = %s", poison["id"])
    assert len(kept) == 1
    assert kept[0][0]["clientMessageId"] == poison["clientMessageId"]
    assert kept[0][1]
    told = aside.emitted(poison["conversationId"])
    assert ("message:withdrawn", poison["id"]) in [(event, data["id"]) for event, data in told]
    assert poison["id"] not in [data["id"] for event, data in told if event == "message"]


BROKEN: dict[str, Any] = {
    "no JSON": b"{",
    "nothing": b"",
    "not UTF-8": b"\xff\xfe",
    "a lone surrogate": b'{"content": "\\ud800"}',
    "an empty object": {},
    "a list": [1, 2],
    "content that is an object": {"content": {"a": 1}},
    "a conversation that is no id": {"conversationId": "lobby"},
    "an id of its own making": {"id": str(uuid.uuid4())},
    "no metadata": {"metadata": None},
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_entry_that_is_no_message_holds_nothing_up(aside: Aside, name: str, kind: str) -> None:
    room = aside.room(name)
    first = aside.accept(room, "before")
    broken = BROKEN[kind]
    if isinstance(broken, dict) and broken:
        broken = {**draft_like(first), **broken}
    raw = broken if isinstance(broken, bytes) else orjson.dumps(broken)
    place = aside.inside.log.xadd("messages:log", {"e": raw}).decode()
    last = aside.accept(room, "after")
    aside.drain()
    assert aside.log_length() == 0
    assert [(m["id"], m["seq"]) for m in aside.history(room)] == [(first["id"], 1), (last["id"], 2)]
    kept = aside.inside.rows("SELECT entry FROM dead_letters WHERE entry->>'place' = %s", place)
    assert len(kept) == 1


def test_a_refused_entry_is_never_emitted_as_if_it_were_committed(aside: Aside, name: str) -> None:
    room, other = aside.room(name), aside.room(name + "2")
    root = aside.accept(other, "a root elsewhere")
    aside.drain()
    for n in range(3):  # so that the root's seq is above the position that the reply would have taken
        aside.call(aside.ann, "PATCH", f"/messages/{root['id']}", {"content": f"edit {n}"})
    late_root = aside.accept(other, "a later root")
    aside.drain()
    poison = draft_like(root, conversationId=room, replyToId=late_root["id"], threadRootId=late_root["id"])
    aside.emitted(room)
    aside.inside.log_entry(poison)
    good = aside.accept(room, "good")
    aside.drain()
    told = aside.emitted(room)
    assert [data["id"] for event, data in told if event == "message"] == [good["id"]]
    assert [str(row[0]) for row in rows(aside, room)] == [good["id"]]
    assert aside.history(other)[-1]["changedSeq"] == 5


def test_draining_an_empty_log_does_nothing(aside: Aside) -> None:
    aside.drain()
    counts = [aside.inside.rows(f"SELECT count(*) FROM {table}") for table in TABLES]
    assert drain.drain_once() == 0
    assert [aside.inside.rows(f"SELECT count(*) FROM {table}") for table in TABLES] == counts


def test_one_who_drains_is_seen_all_the_time_and_does_not_say_so_for_each_batch(
    aside: Aside, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(drainers, "_shown", {})
    monkeypatch.setattr(drainers, "time", SimpleNamespace(monotonic=lambda: now[0]))
    shown = 0
    for _ in range(100):  # a second of small batches
        aside.inside.log.delete(drainers.KEY)
        drainers.alive()
        shown += drainers.is_any_alive()
        now[0] += 0.01
    aside.inside.log.delete(drainers.KEY)
    assert 2 <= shown <= 5
    assert drainers.SHOW_EVERY_S * 1000 < drainers.LIFE_MS / 4
