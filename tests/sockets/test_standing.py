"""Where a client stands: ``ready`` at connect, ``heads`` ever after, so that no lost event stays lost."""

from __future__ import annotations

import pytest
import socketio

from tests.support.cast import Cast, listens
from tests.support.clients import Person, Socket
from tests.support.doors import RestDoor, SocketDoor
from tests.support.inside import Inside


def test_ready_says_who_one_is_and_where_every_conversation_stands(cast: Cast, name: str) -> None:
    person = Person(cast.stack.urls[1], name)
    assert person.socket().ready["conversations"] == []
    rooms = [person.room(f"{name}-{n}", cast.ann) for n in range(3)]
    RestDoor(cast.ann).say(rooms[1], "newest activity")
    said = RestDoor(cast.ann).say(rooms[0], "and newer")
    RestDoor(person).read(rooms[0], said["id"])
    RestDoor(cast.ann).edit(said["id"], "changed")
    ready = person.socket(cast.stack.urls[0]).ready
    assert (ready["actor"]["id"], ready["actor"]["username"], ready["actor"]["role"]) == (person.id, name, "member")
    assert (ready["hasMore"], ready["headsSeconds"]) == (False, 5)
    assert [c["id"] for c in ready["conversations"]] == [rooms[0], rooms[1], rooms[2]]
    assert ready["conversations"][0] == {
        "id": rooms[0],
        "headSeq": 2,
        "version": person.ok("GET", f"/conversations/{rooms[0]}")["conversation"]["version"],
        "receivedSeq": 1,
        "readSeq": 1,
    }
    person.close()


@pytest.mark.parametrize("auth", [None, {}, {"token": "wrong"}, {"token": 7}, "text"], ids=str)
def test_no_valid_credential_no_connection(cast: Cast, auth: object) -> None:
    client = socketio.Client(reconnection=False)
    refusals: list[dict[str, str]] = []
    client.on("connect_error", refusals.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(cast.stack.url, auth=auth, transports=["websocket"], wait_timeout=10)
    assert refusals[0]["code"] == "unauthenticated"
    good = Socket(cast.stack.url, {"token": cast.ann.token})
    assert good.ready["actor"]["id"] == cast.ann.id
    good.close()


def test_an_unknown_event_is_refused_in_its_ack(cast: Cast) -> None:
    assert cast.device(cast.ann).refused("no:such:event", {})["code"] == "not_found"


def test_a_change_whose_emit_was_lost_is_noticed_by_the_heads_and_fetched(
    cast: Cast, name: str, inside: Inside
) -> None:
    device, stranger = cast.device(cast.ben), cast.device(cast.dan)
    room = cast.room(name, cast.ben)
    said = RestDoor(cast.ann).say(room, "heard")
    device.next("message", lambda m: m["id"] == said["id"])
    door = SocketDoor(cast.ben, device)
    door.received(room, said["id"])  # from now on the cache would answer
    assert door.catch_up(room, after=1)["status"] == "caught_up"
    inside.fill(room, cast.ann.id, 2)
    told = device.next("heads", lambda h: h["heads"].get(room, {}).get("headSeq") == 3, within_s=15)
    assert told["heads"][room]["version"] == cast.ben.ok("GET", f"/conversations/{room}")["conversation"]["version"]
    missed = door.catch_up(room, after=1)
    assert ([m["seq"] for m in missed["messages"]], missed["upToSeq"]) == ([2, 3], 3)
    assert missed == RestDoor(cast.ben).catch_up(room, after=1)
    assert not stranger.heard("heads", lambda h: room in h["heads"])


def test_a_device_hears_what_its_own_person_sends_elsewhere(cast: Cast, name: str) -> None:
    one, two = cast.device(cast.ann), cast.ann.socket(cast.stack.urls[1])
    room = cast.room(name, cast.ben)
    listens(two, room)
    acked = one.ok("message:send", {"conversationId": room, "content": "from the first device"})["message"]
    for device in (one, two):
        assert device.next("message", lambda m: m["id"] == acked["id"] and m["persisted"])["seq"] == 1
    two.close()


def test_subscribing_is_for_members_and_ends_by_unsubscribing(cast: Cast, name: str) -> None:
    device, outsider = cast.device(cast.ben), cast.device(cast.dan)
    room = cast.room(name, cast.ben, visibility="private")
    channels = [f"{kind}:{room}" for kind in ("conversation", "receipts", "typing", "presence")]
    assert set(channels) <= set(device.ok("subscribe", {"channels": channels})["channels"])
    for channel in [*channels, f"staff:{cast.ann.id}:messages", "user:" + cast.ann.id, "no-such-channel"]:
        assert outsider.refused("subscribe", {"channels": [channel]})["code"] == "not_found"
    held = device.ok("unsubscribe", {"channels": channels})["channels"]
    assert not set(channels) & set(held)
    fence = cast.room(name + "2", cast.ben)
    unheard = RestDoor(cast.ann).say(room, "not for the unsubscribed")
    last = RestDoor(cast.ann).say(fence, "fence")
    device.next("message", lambda m: m["id"] == last["id"])
    assert not device.heard("message", lambda m: m["id"] == unheard["id"])
