"""Read positions: one number a member, from which unread counts and receipts follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.cast import Cast
from tests.support.doors import Refused, RestDoor
from tests.support.inside import Inside

DoorTo = Callable[..., Any]


def unread(person: Any, conversation_id: str) -> int:
    return int(person.ok("GET", "/messages/unread-count", params={"conversationId": conversation_id})["count"])


def test_unread_counts_what_others_said_since_and_is_there(cast: Cast, door: DoorTo, name: str) -> None:
    room = cast.room(name, cast.ben)
    said = [door(cast.ann).say(room, f"line {n}") for n in range(4)]
    door(cast.ben).say(room, "my own")
    assert unread(cast.ben, room) == 4
    door(cast.ann).delete(said[3]["id"])
    door(cast.ann).edit(said[2]["id"], f"@{cast.ben.username}")
    assert unread(cast.ben, room) == 3
    view = cast.ben.ok("GET", f"/conversations/{room}")["conversation"]
    assert (view["unreadCount"], view["mentionCount"], view["readSeq"]) == (3, 1, 0)
    assert door(cast.ben).read(room, said[1]["id"]) == {"readSeq": 2, "unreadCount": 1}
    assert unread(cast.ben, room) == 1
    assert cast.ben.ok("GET", "/messages/unread-count")["byConversation"][room] == 1
    assert door(cast.ben).read_all([said[0]["id"], said[2]["id"]]) == {"readSeq": 3, "unreadCount": 0}
    assert room not in cast.ben.ok("GET", "/messages/unread-count")["byConversation"]


def test_a_read_position_never_goes_back(cast: Cast, door: DoorTo, name: str) -> None:
    room = cast.room(name, cast.ben)
    said = [door(cast.ann).say(room, f"line {n}") for n in range(3)]
    assert door(cast.ben).read(room, said[2]["id"])["readSeq"] == 3
    assert door(cast.ben).read(room, said[0]["id"]) == {"readSeq": 3, "unreadCount": 0}
    view = cast.ben.ok("GET", f"/conversations/{room}")["conversation"]
    assert (view["readSeq"], view["receivedSeq"]) == (3, 3), "what was read was received"


def test_a_receipt_gives_the_first_mark_that_covers_a_message(cast: Cast, door: DoorTo, name: str) -> None:
    listener = cast.device(cast.ann)
    room = cast.room(name, cast.ben, cast.cyd)
    listener.ok("subscribe", {"channels": [f"receipts:{room}"]})
    said = [door(cast.ann).say(room, f"line {n}") for n in range(3)]
    door(cast.ben).read(room, said[1]["id"])
    told = listener.next("receipt", lambda r: r["conversationId"] == room)
    assert (told["messageId"], told["readByUserId"], told["readByCustomerId"]) == (said[1]["id"], cast.ben.id, None)
    assert told["upToSeq"] == 2
    door(cast.ben).read(room, said[2]["id"])
    door(cast.cyd).read(room, said[2]["id"])
    listener.next("receipt", lambda r: r["conversationId"] == room and r["readByUserId"] == cast.cyd.id)

    def readers(number: int) -> list[tuple[str, int]]:
        items = cast.ann.ok("GET", f"/messages/{said[number]['id']}/receipts")["items"]
        assert all(item["messageId"] == said[number]["id"] for item in items)
        return [(item["readByUserId"], item["upToSeq"]) for item in items]

    assert readers(0) == readers(1) == [(cast.ben.id, 2), (cast.cyd.id, 3)]
    assert readers(2) == [(cast.ben.id, 3), (cast.cyd.id, 3)]
    items = cast.ann.ok("GET", f"/messages/{said[1]['id']}/receipts")["items"]
    assert items[0] == told


def test_ones_other_devices_hear_what_is_left_unread(cast: Cast, door: DoorTo, name: str) -> None:
    device = cast.ben.socket(cast.stack.urls[0])
    room = cast.room(name, cast.ben)
    said = [door(cast.ann).say(room, f"line {n} @{cast.ben.username}") for n in range(2)]
    door(cast.ben).read(room, said[0]["id"])
    told = device.next("unread", lambda u: u["conversationId"] == room)
    assert (told["unreadCount"], told["mentionCount"]) == (1, 1)
    assert told["total"] == cast.ben.ok("GET", "/messages/unread-count")["count"]
    device.close()


def test_only_a_member_reads_and_only_what_is_there(cast: Cast, door: DoorTo, name: str) -> None:
    room, other = cast.room(name, cast.ben, visibility="private"), cast.room(name + "2", cast.ben)
    said, elsewhere = door(cast.ann).say(room, "here"), door(cast.ann).say(other, "there")
    assert door(cast.ben).read(room, said["id"])["readSeq"] == 1
    with pytest.raises(Refused, match="not_found"):
        door(cast.dan).read(room, said["id"])
    with pytest.raises(Refused, match="not_found"):
        door(cast.dan).read_all([said["id"]])
    with pytest.raises(Refused, match="invalid") as refused:
        door(cast.ben).read(room, elsewhere["id"])
    assert list(refused.value.error["fields"]) == ["messageId"]
    assert unread(cast.ben, other) == 1


def test_several_conversations_are_marked_at_once(cast: Cast, name: str) -> None:
    rooms = [cast.room(f"{name}{n}", cast.ben) for n in range(2)]
    said = [RestDoor(cast.ann).say(room, "hello") for room in rooms]
    RestDoor(cast.ben).read_all([m["id"] for m in said])
    assert [unread(cast.ben, room) for room in rooms] == [0, 0]


def test_a_count_stops_at_a_hundred(cast: Cast, name: str, inside: Inside) -> None:
    room = cast.room(name, cast.ben)
    inside.fill(room, cast.ann.id, 150)
    assert unread(cast.ben, room) == 100
    assert cast.ben.ok("GET", f"/conversations/{room}")["conversation"]["unreadCount"] == 100
