"""The log in several streams: shared by drainers, and every conversation in order whatever becomes of the setting."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.domain import drain
from app.kernel import settings as kernel_settings
from app.kernel.settings import settings
from app.live import log, shards
from tests.domain.conftest import Aside, at_once
from tests.support.clients import send_body
from tests.support.modes import one_mode

pytestmark = one_mode


@pytest.fixture(autouse=True)
def unsharded(aside: Aside) -> Iterator[None]:
    """Each test begins and ends with an empty log of one stream."""
    before = settings()
    yield
    kernel_settings.use(before)
    drain.drain_all()
    aside.inside.log.delete(shards.COUNT, "drainers", *[f"drainer:shard:{n}" for n in range(16)])


def _share(count: int) -> None:
    kernel_settings.use(replace(settings(), log_shards=count))
    shards._most[0] = (None, 0.0, 1)


def _lengths(aside: Aside) -> list[int]:
    return [aside.inside.log.xlen(shards.stream(shard)) for shard in range(8)]


def _shown(aside: Aside, room: str) -> list[str]:
    return [message["content"] for message in aside.history(room)]


def test_with_one_shard_there_is_nothing_but_the_one_stream(aside: Aside, name: str) -> None:
    room = aside.room(name)
    aside.accept(room, "one")
    assert _lengths(aside) == [1, 0, 0, 0, 0, 0, 0, 0]
    assert b"@" not in b"".join(aside.inside.log.hvals(f"pending:{room}"))
    assert not aside.inside.log.exists(shards.COUNT, f"shard:{room}", "drainers")


def test_conversations_are_spread_and_drained_to_the_last(aside: Aside, name: str) -> None:
    _share(4)
    rooms = [aside.room(f"{name}-{n}") for n in range(12)]
    for number in range(5):
        for room in rooms:
            aside.accept(room, f"line {number}")
    lengths = _lengths(aside)
    assert sum(lengths) == 60 == log.length()
    assert sum(1 for length in lengths if length) > 1
    for room in rooms:  # what waits is shown, and a retry is answered with it
        assert _shown(aside, room) == [f"line {number}" for number in range(5)]
    again = send_body(rooms[0], "twice")
    first = aside.call(aside.ann, "POST", "/messages/send", again)["message"]
    assert aside.call(aside.ann, "POST", "/messages/send", again)["message"] == first
    assert log.pending(first["id"]) is not None
    assert drain.drain_all() == 61
    assert _lengths(aside) == [0] * 8
    assert log.standing() == (0, 0.0)
    for room in rooms:
        assert [m["persisted"] for m in aside.history(room)][:5] == [True] * 5
        assert not aside.inside.log.exists(f"pending:{room}", f"shard:{room}")


@pytest.mark.parametrize("seed", [1, 2])
def test_a_conversation_stays_in_order_while_the_number_of_shards_changes(aside: Aside, name: str, seed: int) -> None:
    chance, rooms = random.Random(seed), [aside.room(f"{name}-{n}") for n in range(6)]
    said: dict[str, list[str]] = {room: [] for room in rooms}
    for number in range(80):
        _share(chance.choice([1, 2, 3, 5]))
        room = chance.choice(rooms)
        aside.accept(room, f"line {number}")
        said[room].append(f"line {number}")
        if chance.random() < 0.3:
            drain.drain_once(chance.randrange(5))
    for shard in chance.sample(range(8), 8):  # in any order
        drain.drain_once(shard)
    assert log.length() == 0
    for room in rooms:
        assert _shown(aside, room)[-50:] == said[room][-50:]


def test_one_that_forgot_where_a_conversation_waits_would_be_found_out(aside: Aside, name: str) -> None:
    rooms = [aside.room(f"{name}-{n}") for n in range(8)]
    for room in rooms:
        aside.accept(room, "first")
    _share(4)
    for room in rooms:
        aside.inside.log.delete(f"pending:{room}")
        aside.accept(room, "second")
    for shard in (3, 2, 1, 0):
        drain.drain_once(shard)
    assert any(_shown(aside, room) == ["second", "first"] for room in rooms)


def test_drainers_share_the_shards_fairly_and_take_over_from_who_is_gone(
    aside: Aside, monkeypatch: pytest.MonkeyPatch
) -> None:
    _share(4)

    def ask(who: str) -> list[int]:
        monkeypatch.setattr(shards, "_me", lambda: who)
        return shards.mine()

    assert ask("first") == [0, 1, 2, 3]
    assert ask("second") == []
    assert ask("first") == [0, 1]
    assert ask("second") == [2, 3]
    assert ask("first") == [0, 1]
    assert ask("third") == []
    aside.inside.log.zrem("drainers", "first", "third")  # as when their two seconds are over
    aside.inside.log.delete("drainer:shard:0", "drainer:shard:1")
    assert sorted(ask("second")) == [0, 1, 2, 3]


def _speak(aside: Aside, rooms: list[str], who: dict[str, str]) -> None:
    for number in range(120):
        aside.accept(rooms[number % len(rooms)], f"{who['username']} {number:03}", who)


def _work(own: list[int], is_over: threading.Event) -> None:
    while not is_over.is_set():
        if not sum(drain.take_turn(is_over, shard) for shard in own):
            is_over.wait(0.002)


def test_two_drains_at_once_keep_the_order_of_every_sender(aside: Aside, name: str) -> None:
    _share(4)
    rooms, is_over = [aside.room(f"{name}-{n}") for n in range(8)], threading.Event()
    aside.emitted_of_any()
    workers = [threading.Thread(target=_work, args=(own, is_over)) for own in ([0, 1], [2, 3])]
    for worker in workers:
        worker.start()
    at_once(lambda: _speak(aside, rooms, aside.ann), lambda: _speak(aside, rooms, aside.ben))
    is_over.set()
    for worker in workers:
        worker.join()
    drain.drain_all()
    heard = [body for event, body in aside.emitted_of_any() if event == "message"]
    for room in rooms:
        shown = _shown(aside, room)
        assert len(shown) == 30
        for who in (aside.ann, aside.ben):
            own = [content for content in shown if content.startswith(who["username"])]
            assert own == sorted(own)
        assert [body["seq"] for body in heard if body["conversationId"] == room] == list(range(1, 31))
