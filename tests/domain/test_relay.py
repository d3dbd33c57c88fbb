"""Telling a process's sockets where their conversations stand."""

from __future__ import annotations

from uuid import UUID

from app.domain import relay
from app.live import hot
from tests.domain.conftest import Aside


def test_who_is_told_a_head_is_not_told_by_the_cache_that_they_lack_nothing(aside: Aside, name: str) -> None:
    room = UUID(aside.room(name))
    aside.accept(str(room), "told of")
    aside.drain()
    assert hot.heads([room]) == [1]
    aside.inside.fill(str(room), aside.ann["id"], 2)  # committed, and the cache was never told
    assert hot.heads([room]) == [1]
    relay.tell_heads([room])
    assert hot.catch_up(room, 1, UUID(aside.ann["id"])) is None, "the database is asked"
