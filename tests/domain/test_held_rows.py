"""A row that somebody holds from outside stops its own conversation and no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.domain import drain, modes
from app.domain.batches import Submission
from app.domain.commit import apply_what_is_free
from app.live import log
from tests.domain.conftest import Aside
from tests.support.clients import send_body


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    drain._held.clear()
    yield
    drain._held.clear()


def contents(aside: Aside, room: str) -> list[str]:
    rows = aside.inside.rows("SELECT content FROM messages WHERE conversation_id = %s ORDER BY seq", room)
    return [row[0] for row in rows]


def test_the_drain_passes_over_a_held_conversation_and_takes_it_when_it_is_free(
    aside: Aside, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "HELD_PAUSE_S", 60)  # however slow the machine is, it is not over yet
    rooms = [aside.room(f"{name}{n}") for n in range(3)]
    for n in range(6):
        aside.accept(rooms[n % 3], f"line {n}")
    with aside.inside.held(rooms[0]):
        assert drain.drain_once() == 4
        assert [contents(aside, room) for room in rooms] == [[], ["line 1", "line 4"], ["line 2", "line 5"]]
        aside.accept(rooms[0], "line 6")
        aside.accept(rooms[1], "line 7")
        tried: list[str] = []

        def watched(submissions: list[Submission], **more: Any) -> Any:
            tried.extend(each.event["conversationId"] for each in submissions)
            return apply_what_is_free(submissions, **more)

        with monkeypatch.context() as watching:
            watching.setattr(drain, "apply_what_is_free", watched)
            assert drain.drain_once() == 1
        assert tried == [rooms[1]], "it did not wait for a row that it knew to be held"
        assert aside.log_length() == 3
    drain._held.clear()
    aside.drain()
    assert contents(aside, rooms[0]) == ["line 0", "line 3", "line 6"]
    assert aside.log_length() == 0


def test_any_number_of_entries_of_a_held_conversation_hide_no_others(aside: Aside, name: str) -> None:
    held, free = aside.room(name), aside.room(name + "2")
    for n in range(7):
        aside.accept(held, f"line {n}")
    wanted = aside.accept(free, "behind them")
    assert [entry.event["id"] for entry in log.read(3, leaving={held})[0]] == [wanted["id"]]
    aside.drain()


def test_a_turn_in_which_all_is_held_is_no_busy_loop(aside: Aside, name: str) -> None:
    room = aside.room(name)
    aside.accept(room, "held")
    with aside.inside.held(room):
        drain.take_turn(threading.Event())
        began = time.monotonic()
        assert drain.take_turn(threading.Event()) == 0
        assert time.monotonic() - began >= 0.1
    drain._held.clear()
    aside.drain()


def test_a_direct_write_to_a_held_conversation_is_refused_for_now_and_stops_no_other(
    aside: Aside, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, free = aside.room(name), aside.room(name + "2")
    monkeypatch.setattr(modes, "is_behind", lambda: False)
    answers: dict[str, tuple[int, str]] = {}

    def send(room: str) -> None:
        headers = {"Authorization": f"Bearer {aside.ann['token']}"}
        answer = aside.app.test_client().post("/api/messages/send", json=send_body(room, "direct"), headers=headers)
        body = answer.get_json()
        answers[room] = (answer.status_code, body.get("error", {}).get("code", ""))

    with aside.inside.held(held):
        began = time.monotonic()
        threads = [threading.Thread(target=send, args=(room,)) for room in (held, free)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < 3
    assert answers == {held: (503, "unavailable"), free: (201, "")}
    assert (contents(aside, held), contents(aside, free)) == ([], ["direct"])


def test_what_was_accepted_is_not_overtaken_by_a_direct_write_past_a_held_row(aside: Aside, name: str) -> None:
    """The row is let go between the attempt at what was accepted before and that at the direct write."""
    from app.domain import groupcommit  # noqa: PLC0415

    room = aside.room(name)
    aside.accept(room, "first")
    with aside.inside.held(room):
        assert groupcommit._settle_own() == {room}
    aside.drain()
    assert contents(aside, room) == ["first"]
