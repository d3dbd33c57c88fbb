"""The healer mends a cache that is behind the database, and one that is ahead of a database that was set back."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast
from uuid import UUID

import pytest

from app.domain import healing, relay
from app.kernel.events import MessageEvent
from app.live import healed, hot
from tests.domain.conftest import Aside


def head(aside: Aside, room: str) -> int | None:
    raw = aside.inside.cache.get(f"head:{room}")
    return int(raw) if raw else None


@pytest.fixture
def room(aside: Aside, name: str) -> str:
    found = aside.room(name)
    for n in range(3):
        aside.accept(found, f"line {n}")
    aside.drain()
    assert head(aside, found) == 3
    return found


def test_a_head_that_is_ahead_of_the_database_is_thrown_away(aside: Aside, room: str) -> None:
    aside.inside.cache.set(f"head:{room}", 9)
    healing.heal_once()
    assert head(aside, room) is None
    assert aside.call(aside.ann, "GET", f"/rooms/{room}/rejoin?after=0")["upToSeq"] == 3


def test_a_head_that_only_went_on_since_it_was_read_is_kept(
    aside: Aside, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    repair = hot.repair
    monkeypatch.setattr(
        hot,
        "repair",
        lambda heads, **more: repair({one: head - (str(one) == room) for one, head in heads.items()}, **more),
    )
    healing.heal_once()
    assert head(aside, room) == 3


@pytest.mark.parametrize("has_ended", [True, False])
def test_a_head_that_is_being_found_out_is_let_alone_unless_whoever_finds_it_has_ended(
    aside: Aside, room: str, monkeypatch: pytest.MonkeyPatch, has_ended: bool
) -> None:
    healing.heal_once()
    aside.accept(room, "one more")
    aside.drain()
    aside.inside.cache.set(f"head:{room}", -77)
    relay.tell_heads([UUID(room)])
    assert head(aside, room) == -77

    def next_one(_: float) -> None:
        if not has_ended:
            aside.inside.cache.set(f"head:{room}", -78)

    monkeypatch.setattr(healing, "time", SimpleNamespace(sleep=next_one))
    healing.heal_once()
    assert head(aside, room) == (None if has_ended else -78)


@pytest.mark.parametrize("is_told", [True, False])
def test_what_the_cache_is_about_to_be_told_is_not_taken_for_lost(
    aside: Aside, room: str, monkeypatch: pytest.MonkeyPatch, is_told: bool
) -> None:
    healing.heal_once()
    aside.inside.cache.decr(f"head:{room}")
    waited = []

    def teller(seconds: float) -> None:
        waited.append(seconds)
        if is_told:
            aside.inside.cache.incr(f"head:{room}")

    monkeypatch.setattr(healing, "time", SimpleNamespace(sleep=teller))
    healing.heal_once()
    assert waited == [healing.TOLD_WITHIN_S]
    assert aside.inside.cache.zcard(f"chat:{room}:messages:active") == (3 if is_told else 0)
    healing.heal_once()
    assert len(waited) == 1


@pytest.mark.parametrize("change", [{"logged_bytes": 2**60}, {"database": 1}], ids=str)
def test_a_database_that_was_set_back_or_exchanged_empties_the_cache(
    aside: Aside, room: str, change: dict[str, int]
) -> None:
    healing.heal_once()
    mark = healed.last()
    assert mark is not None
    aside.inside.cache.set("head:of-one-that-does-not-change-any-more", 7)
    healing.heal_once()
    assert head(aside, "of-one-that-does-not-change-any-more") == 7
    healed.note(replace(mark, **change))
    healing.heal_once()
    assert head(aside, "of-one-that-does-not-change-any-more") is None
    assert head(aside, room) is None
    after = healed.last()
    assert after is not None
    assert after.database == mark.database
    healing.heal_once()


def lost_and_appended_late(room: str, position: int) -> dict[str, bytes]:
    """Have one who committed a message before the cache was emptied tell it only now."""
    hot.distrust([room])
    return appended(room, position)


def appended(room: str, position: int) -> dict[str, bytes]:
    event = cast("MessageEvent", {"id": "m", "conversationId": room, "seq": position, "changedSeq": position})
    return hot.append([event], [b"{}"])


def test_the_head_of_an_emptied_cache_is_found_out_and_never_taken_from_one_who_is_late(
    aside: Aside, room: str
) -> None:
    marks = lost_and_appended_late(room, 2)
    assert hot.heads([room]) == [None]
    assert appended(room, 3) == marks, "two who find it out at once share the mark"
    hot.found(marks, {room: (4, ("newest", 4))})
    assert hot.heads([room]) == [4]
    hot.found(marks, {room: (3, ("older", 3))})
    assert hot.heads([room]) == [4], "only forward"
    assert aside.inside.cache.get(f"room:{room}:latest_message_id") == b"newest:4"
    assert appended(room, 5) == {}
    assert hot.heads([room]) == [5]


def test_a_head_that_was_found_out_before_the_cache_was_lost_again_is_not_kept(room: str) -> None:
    marks = lost_and_appended_late(room, 2)
    hot.distrust([room])
    hot.found(marks, {room: (3, None)})
    assert hot.heads([room]) == [None]
    others = lost_and_appended_late(room, 2)
    hot.found(marks, {room: (3, None)})
    assert hot.heads([room]) == [None]
    hot.found(others, {room: (3, None)})
    assert hot.heads([room]) == [3]
