"""Delivered and read: who hears it, with which times; and marking unread, which takes no receipt back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.cast import Cast
from tests.support.clients import Person
from tests.support.doors import Door, Refused, RestDoor
from tests.support.inside import Inside

DoorTo = Callable[[Person], Door]


def statuses(device: object, room: str) -> list[tuple[str, str, int]]:
    heard = device.heard("delivery", lambda d: d["conversationId"] == room)  # type: ignore[attr-defined]
    return [(d["status"], d["recipientId"], d["upToSeq"]) for d in heard]


def test_the_sender_hears_when_a_message_was_delivered_and_when_it_was_read(
    cast: Cast, door: DoorTo, name: str, inside: Inside
) -> None:
    hers, cyds, bens = cast.device(cast.ann), cast.device(cast.cyd), cast.device(cast.ben)
    room = cast.room(name, cast.ben, cast.cyd)
    said = [door(cast.ann).say(room, f"line {n}") for n in range(2)]
    assert door(cast.ben).received(room, said[1]["id"]) == 2
    told = hers.next("delivery", lambda d: d["conversationId"] == room)
    assert (told["messageId"], told["recipientType"], told["recipientId"]) == (said[1]["id"], "user", cast.ben.id)
    assert (told["status"], told["upToSeq"], told["readAt"], told["failedReason"]) == ("delivered", 2, None, None)
    assert told["deliveredAt"] >= said[1]["createdAt"]
    door(cast.ben).read(room, said[1]["id"])
    read = hers.next("delivery", lambda d: d["conversationId"] == room and d["status"] == "read")
    assert (read["deliveredAt"], read["messageId"]) == (told["deliveredAt"], said[1]["id"])
    assert read["readAt"] >= told["deliveredAt"]
    door(cast.cyd).read(room, said[0]["id"])  # what is read has come
    both = hers.next("delivery", lambda d: d["conversationId"] == room and d["recipientId"] == cast.cyd.id)
    assert (both["status"], both["deliveredAt"]) == ("read", both["readAt"])
    door(cast.ben).received(room, said[0]["id"])
    door(cast.ben).read(room, said[0]["id"])
    fence = door(cast.ben).say(room, "fence")
    for device in (hers, cyds, bens):
        device.next("message", lambda m: m["id"] == fence["id"])
    assert [s[0] for s in statuses(hers, room)] == ["delivered", "read", "read"], (
        "a mark that moves nothing tells nothing"
    )
    assert statuses(cyds, room) == statuses(bens, room) == [], "they neither wrote it nor asked"
    kept = "SELECT profile_id::text, from_seq, up_to_seq FROM received_marks WHERE conversation_id = %s ORDER BY 3"
    assert inside.rows(kept, room) == [(cast.cyd.id, 0, 1), (cast.ben.id, 0, 2)]


def test_subscribers_hear_it_too_each_device_once(cast: Cast, door: DoorTo, name: str) -> None:
    device, hers = cast.device(cast.cyd), cast.device(cast.ann)
    room = cast.room(name, cast.ben, cast.cyd)
    for listener in (device, hers):
        listener.ok("subscribe", {"channels": [f"receipts:{room}"]})
    said = door(cast.ann).say(room, "to both")
    door(cast.ben).received(room, said["id"])
    for listener in (device, hers):
        listener.next("delivery", lambda d: d["conversationId"] == room)
    fence = door(cast.ben).say(room, "fence")
    for listener in (device, hers):
        listener.next("message", lambda m: m["id"] == fence["id"])
        assert statuses(listener, room) == [("delivered", cast.ben.id, 1)]


def test_in_a_large_room_only_those_who_wrote_hear_of_a_delivery(cast: Cast, name: str, inside: Inside) -> None:
    device, hers = cast.device(cast.cyd), cast.device(cast.ann)
    room = cast.room(name, cast.ben, cast.cyd)
    inside.rows("UPDATE conversations SET member_count = 101 WHERE id = %s", room)
    device.ok("subscribe", {"channels": [f"receipts:{room}"]})
    said = RestDoor(cast.ann).say(room, "to all")
    RestDoor(cast.ben).received(room, said["id"])
    hers.next("delivery", lambda d: d["conversationId"] == room)
    fence = RestDoor(cast.ben).say(room, "fence")
    device.next("message", lambda m: m["id"] == fence["id"])
    assert statuses(device, room) == []


def test_what_was_read_can_be_marked_unread_on_every_device(cast: Cast, door: DoorTo, name: str) -> None:
    other = cast.ben.socket(cast.stack.urls[0])
    room = cast.room(name, cast.ben)
    said = [door(cast.ann).say(room, f"line {n}") for n in range(3)]
    mine = door(cast.ben).say(room, "mine")
    door(cast.ben).read(room, mine["id"])
    first = cast.ann.ok("GET", f"/messages/{said[1]['id']}/receipts")["items"]
    assert door(cast.ben).unread(room, said[1]["id"]) == {"readSeq": 1, "unreadCount": 2}
    told = other.next("unread", lambda u: u["conversationId"] == room and u["readSeq"] == 1)
    assert (told["unreadCount"], told["total"]) == (2, cast.ben.ok("GET", "/messages/unread-count")["count"])
    assert door(cast.ben).unread(room, said[2]["id"]) == {"readSeq": 2, "unreadCount": 1}, "from there on, and no more"
    door(cast.ben).read(room, said[2]["id"])
    assert cast.ann.ok("GET", f"/messages/{said[1]['id']}/receipts")["items"] == first, "the first time is kept"
    door(cast.ben).read(room, mine["id"])
    assert door(cast.ben).unread(room) == {"readSeq": 2, "unreadCount": 1}, "from the newest that another wrote"
    shown = cast.ben.ok("GET", f"/conversations/{room}/unread")
    assert (shown["unreadCount"], shown["recount"], shown["looked"], shown["own"]) == (1, 1, 2, 1)
    assert [item["messageId"] for item in shown["items"]] == [said[2]["id"]]
    other.close()


def test_what_comes_before_is_read_then_however_little_had_been(cast: Cast, door: DoorTo, name: str) -> None:
    hers, room = cast.device(cast.ann), cast.room(name, cast.ben)
    said = [door(cast.ann).say(room, f"line {n}") for n in range(3)]
    assert door(cast.ben).unread(room, said[0]["id"]) == {"readSeq": 0, "unreadCount": 3}
    assert door(cast.ben).unread(room, said[2]["id"]) == {"readSeq": 2, "unreadCount": 1}
    told = hers.next("delivery", lambda d: d["conversationId"] == room and d["status"] == "read")
    assert (told["messageId"], told["upToSeq"]) == (said[1]["id"], 2), "who wrote it hears that it was read"
    assert door(cast.ben).unread(room) == {"readSeq": 2, "unreadCount": 1}, "without a message it never goes on"


def test_only_a_member_marks_unread_and_only_what_is_there(cast: Cast, door: DoorTo, name: str) -> None:
    room, other = cast.room(name, cast.ben, visibility="private"), cast.room(name + "2", cast.ben)
    elsewhere = door(cast.ann).say(other, "there")
    assert door(cast.ben).unread(room) == {"readSeq": 0, "unreadCount": 0}, "there is nothing to mark"
    with pytest.raises(Refused, match="not_found"):
        door(cast.dan).unread(room)
    with pytest.raises(Refused, match="invalid") as refused:
        door(cast.ben).unread(room, elsewhere["id"])
    assert list(refused.value.error["fields"]) == ["messageId"]
