"""A mass reconnect is told in few packets: what flaps not at all, many people of one conversation together."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.connection import Connection

from app.domain import presence, presence_news
from app.domain.presence_news import News
from app.kernel import clock
from app.kernel.actor import Actor
from app.live import presence as live
from tests.domain.conftest import Aside


def news(room: UUID, was: str, status: str, profile_id: UUID | None = None) -> News:
    one = profile_id or uuid4()
    return News(one, presence.describe("user", one, status, clock.now(), {}), was, [room])


def told(aside: Aside, room: UUID) -> list[dict[str, Any]]:
    return [event for name, event in aside.emitted_to(f"presence:{room}") if name == "presence"]


def test_three_hundred_who_come_back_together_are_told_in_two_packets(aside: Aside) -> None:
    room, quiet = uuid4(), uuid4()
    everyone = [news(room, "offline", "online") for _ in range(300)]
    for one in everyone:
        presence_news.gather(one)
    presence_news.gather(news(quiet, "offline", "online"))
    assert presence_news.flush() == 301
    heard = told(aside, room)
    assert [1 + len(packet["more"]) for packet in heard] == [200, 100]
    ids = [event["userId"] for packet in heard for event in (packet, *packet["more"])]
    assert ids == [str(one.profile_id) for one in everyone]
    assert presence_news.flush() == 0


def test_a_few_are_told_each_by_an_event_of_their_own(aside: Aside) -> None:
    room = uuid4()
    for _ in range(presence_news.SINGLY_MAX):
        presence_news.gather(news(room, "offline", "online"))
    presence_news.flush()
    heard = told(aside, room)
    assert len(heard) == presence_news.SINGLY_MAX
    assert set(heard[0]) == {"id", "userId", "customerId", "status", "lastSeenAt", "metadata"}


def test_what_is_told_at_one_moment_reaches_the_other_processes_as_one_message(aside: Aside) -> None:
    aside.emitted_to("nobody")  # what others have told before
    for _ in range(15):
        presence_news.gather(news(uuid4(), "offline", "online"))
    presence_news.flush()
    messages = 0
    while aside._listener.get_message(timeout=0.2) is not None:
        messages += 1
    assert messages == 1


def test_what_changes_and_changes_back_within_a_moment_is_not_told(aside: Aside) -> None:
    room, one = uuid4(), uuid4()
    presence_news.gather(news(room, "online", "offline", one))
    presence_news.gather(news(room, "offline", "online", one))
    assert presence_news.flush() == 0
    presence_news.gather(news(room, "online", "away", one))
    presence_news.gather(news(room, "away", "offline", one))
    assert presence_news.flush() == 1
    assert [event["status"] for event in told(aside, room)] == ["offline"], "only the newest"


def test_a_heartbeat_of_a_thousand_devices_is_a_few_questions_and_tells_of_whoever_was_thought_gone(
    aside: Aside, monkeypatch: pytest.MonkeyPatch
) -> None:
    everyone = [Actor(id=uuid4(), kind="user") for _ in range(1_000)]
    for number, actor in enumerate(everyone):
        presence._devices[f"beating{number}"] = presence.Device(actor, "online", {})
    asked = 0
    send = Connection.send_packed_command

    def count(self: Connection, *given: Any, **named: Any) -> Any:
        nonlocal asked
        asked += 1
        return send(self, *given, **named)

    try:
        presence._beat()  # nobody has been heard of yet
        assert {event["status"] for event in live.of([actor.id for actor in everyone]).values()} == {"online"}
        monkeypatch.setattr(Connection, "send_packed_command", count)
        presence._beat()
        assert 0 < asked < 40
    finally:
        for number in range(len(everyone)):
            presence._devices.pop(f"beating{number}")
    presence_news.flush()
