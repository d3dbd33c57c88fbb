"""The Redis keys and channels that operators of such systems know: there, bounded, timed, and rebuilt when missing."""

from __future__ import annotations

import json
import re
import time

import pytest

from app.domain.watch import TAKE_OVER_LOOK_S
from app.live.drainers import KEY
from tests.support.cast import Cast
from tests.support.doors import RestDoor
from tests.support.inside import Inside
from tests.support.stack import Stack, until

DAY_S = 24 * 3600
ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture(autouse=True, scope="module")
def _begun(stack: Stack, inside: Inside) -> None:
    """Until the worker drains, web processes do; two that commit the same throw away what the cache has of a conversation."""
    if stack.environ["MESSAGE_WRITE_MODE"] == "behind":
        until(lambda: inside.log.exists(KEY), within_s=30, what="the worker to drain")
        time.sleep(2 * TAKE_OVER_LOOK_S)  # until they have seen it


def test_the_known_keys_exist_with_a_time_to_live(cast: Cast, name: str, inside: Inside) -> None:
    room = cast.room(name, cast.ben)
    said = [RestDoor(cast.ann).say(room, f"line {n}") for n in range(2)]
    edited = RestDoor(cast.ann).edit(said[0]["id"], "edited")
    RestDoor(cast.ben).received(room, said[1]["id"])
    received, latest = f"user:{cast.ben.id}:room:{room}:last_received", f"room:{room}:latest_message_id"
    hot = f"chat:{room}:messages:active"
    until(lambda: inside.cache.zcard(hot) == 3, what="the hot history")
    assert inside.cache.get(received) == f"{said[1]['id']}:2".encode()
    assert inside.cache.get(latest) == f"{said[1]['id']}:2".encode()
    held = inside.cache.zrange(hot, 0, -1, withscores=True)
    assert [(json.loads(event), int(position)) for event, position in held] == [
        (said[0], 1),
        (said[1], 2),
        (edited, 3),
    ]
    assert 0 < inside.cache.ttl(hot) <= DAY_S
    assert 0 < inside.cache.ttl(latest) <= DAY_S
    assert 0 < inside.cache.ttl(received) <= 30 * DAY_S


def test_what_redis_has_lost_is_built_again(cast: Cast, name: str, inside: Inside) -> None:
    room = cast.room(name, cast.ben)
    RestDoor(cast.ann).say(room, "before")
    keys = [f"chat:{room}:messages:active", f"room:{room}:latest_message_id", f"head:{room}"]
    until(lambda: inside.cache.exists(*keys) == 3, what="the keys")
    inside.cache.delete(*keys)
    after = RestDoor(cast.ann).say(room, "after")
    until(lambda: inside.cache.exists(*keys) == 3, what="the keys again")
    assert inside.cache.get(keys[1]) == f"{after['id']}:2".encode()
    assert inside.cache.get(keys[2]) == b"2"
    assert inside.cache.zcard(keys[0]) == 1, "what came before the gap must not be there"


def test_what_is_kept_of_a_person_or_conversation_has_an_end(cast: Cast, name: str, inside: Inside) -> None:
    room = cast.room(name, cast.ben)
    RestDoor(cast.ben).received(room, RestDoor(cast.ann).say(room, "hello")["id"])
    named = [key for key in inside.cache.scan_iter(count=1000) if ID.search(key)]
    assert any(room.encode() in key for key in named)
    assert [key for key in named if inside.cache.ttl(key) == -1] == []


def test_messages_are_published_for_other_services(cast: Cast, name: str, inside: Inside) -> None:
    listener = inside.cache.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("channel:chat-messages")
    listener.get_message(timeout=5)
    room = cast.room(name)
    said = RestDoor(cast.ann).say(room, "for all services")

    def published() -> bool:
        heard = listener.get_message(timeout=0.1)
        return heard is not None and json.loads(heard["data"]) == said

    until(published, what="the message on channel:chat-messages")
    listener.close()


def test_a_change_of_presence_is_published_for_other_services(cast: Cast, name: str, inside: Inside) -> None:
    listener = inside.cache.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("channel:user-presence")
    listener.get_message(timeout=5)
    cast.room(name, cast.ben)
    device = cast.device(cast.ben)
    device.ok("presence", {"status": "away", "metadata": {"where": name}})

    def published() -> bool:
        heard = listener.get_message(timeout=0.1)
        event = json.loads(heard["data"]) if heard else {}
        return (event.get("userId"), event.get("status")) == (cast.ben.id, "away")

    until(published, what="the change on channel:user-presence")
    device.ok("presence", {"status": "online"})
    listener.close()
