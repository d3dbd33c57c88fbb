"""Typing: five seconds, extended in silence, and an end that somebody always says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain import typing
from app.kernel import clock
from app.kernel.actor import Actor
from tests.domain.conftest import Aside

T0 = clock.now()


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


class Typist:
    """Ann in a room, and what its subscribers are told of her."""

    def __init__(self, aside: Aside, slug: str) -> None:
        self.aside, self.room = aside, aside.room(slug)
        self.actor = Actor(id=UUID(aside.ann["id"]), kind="user")

    def types(self, seconds: float, device: str = "phone") -> dict[str, Any]:
        return typing.indicate(
            self.actor, conversation_id=UUID(self.room), is_typing=True, now=after(seconds), device=device
        )

    def told(self) -> list[bool]:
        return [event["isTyping"] for _, event in self.aside.emitted_to(f"typing:{self.room}")]


@pytest.fixture
def ann(aside: Aside, name: str) -> Iterator[Typist]:
    yield Typist(aside, name)
    typing._live.clear()
    typing.clean_up(now=after(60))


def test_a_refresh_extends_without_a_broadcast_and_the_end_is_said_five_seconds_after_the_last(ann: Typist) -> None:
    assert ann.types(0) == {"expiresAt": clock.wire(after(5)), "coalesced": False}
    assert ann.types(4) == {"expiresAt": clock.wire(after(9)), "coalesced": True}
    typing.expire(now=after(8.9))
    assert ann.told() == [True]
    typing.expire(now=after(9))
    typing.expire(now=after(10))
    assert ann.told() == [False]


def test_beat_says_the_end_for_a_process_that_died_once(ann: Typist) -> None:
    ann.types(0)
    assert ann.told() == [True]
    typing._live.clear()  # the process is gone
    assert typing.clean_up(now=after(6)) == 0, "two seconds are left to a living process"
    assert typing.clean_up(now=after(7.1)) == 1
    assert typing.clean_up(now=after(8)) == 0
    assert ann.told() == [False]


def test_beat_leaves_alone_what_a_living_process_has_extended(ann: Typist) -> None:
    ann.types(0)
    ann.types(4)
    typing.expire(now=after(4.2))  # the loop of the process notes it
    assert typing.clean_up(now=after(8)) == 0
    typing.expire(now=after(9.1))
    assert typing.clean_up(now=after(60)) == 0, "its note went with it"
    assert ann.told() == [True, False]


def test_a_message_heard_of_from_elsewhere_ends_what_was_typed_before_it(ann: Typist) -> None:
    ann.types(0)
    message: Any = {"senderId": ann.aside.ann["id"], "conversationId": ann.room, "createdAt": clock.wire(after(-1))}
    typing.sent(message)
    typing.expire(now=after(1))
    assert ann.told() == [True], "that message was sent before"
    typing.sent({**message, "createdAt": clock.wire(after(2))})
    typing.expire(now=after(2))
    assert ann.told() == [False]


def test_only_the_device_on_which_one_types_ends_it_by_leaving(ann: Typist) -> None:
    ann.types(0, "phone")
    ann.types(1, "laptop")
    typing.stop_on("phone")
    assert ann.told() == [True]
    typing.stop_on("laptop")
    assert ann.told() == [False]
