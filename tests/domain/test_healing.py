"""The healer mends a cache that is behind the database, and one that is ahead of a database that was set back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain import healing
from app.live import hot
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
    repair = hot.repair_head
    monkeypatch.setattr(hot, "repair_head", lambda one, held: repair(one, held - (str(one) == room)))
    healing.heal_once()
    assert head(aside, room) == 3


@pytest.mark.parametrize("change", [{"logged_bytes": 2**60}, {"database": 1}], ids=str)
def test_a_database_that_was_set_back_or_exchanged_empties_the_cache(
    aside: Aside, room: str, change: dict[str, int]
) -> None:
    healing.heal_once()
    mark = hot.healed_at()
    assert mark is not None
    aside.inside.cache.set("head:of-one-that-does-not-change-any-more", 7)
    healing.heal_once()
    assert head(aside, "of-one-that-does-not-change-any-more") == 7
    hot.note_healed(replace(mark, **change))
    healing.heal_once()
    assert head(aside, "of-one-that-does-not-change-any-more") is None
    assert head(aside, room) is None
    after = hot.healed_at()
    assert after is not None
    assert after.database == mark.database
    healing.heal_once()
