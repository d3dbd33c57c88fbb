"""Catching up: what was missed, from any position, the same at both doors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.cast import Cast
from tests.support.doors import Refused, RestDoor, SocketDoor
from tests.support.inside import Inside
from tests.support.view import View

DoorTo = Callable[..., Any]


def busy_room(cast: Cast, name: str) -> tuple[str, View]:
    """Make a room in which everything has happened; gives it and its whole state, at position 12."""
    room = cast.room(name, cast.ben)
    hers, his = RestDoor(cast.ann), RestDoor(cast.ben)
    root = hers.say(room, "1: root")
    reply = his.say(room, "2: reply", replyToId=root["id"])
    hers.edit(root["id"], "3: edited")
    his.react(root["id"], "👍")  # 4
    hers.say(room, f"5: @{cast.ben.username}", metadata={"n": 1.5, "b": [None, {"a": "z"}]})
    gone = his.say(room, "6: to be deleted", replyToId=reply["id"])
    his.delete(gone["id"])  # 7
    hers.react(reply["id"], "🎉")  # 8
    last = hers.say(room, "9")
    his.react(last["id"], "👀")  # 10
    his.unreact(last["id"], "👀")  # 11
    hers.say(room, "12")
    return room, View.fresh(cast.ann, room)


def test_catching_up_from_any_position_gives_what_changed_since_at_both_doors_alike(cast: Cast, name: str) -> None:
    room, whole = busy_room(cast, name)
    doors = [RestDoor(cast.ben), SocketDoor(cast.ben, cast.device(cast.ben))]
    assert doors[0].received(room, whole.shown[0]["id"]) == 1
    assert whole.position == 12
    for after in range(13):
        expected = sorted(
            (m for m in whole.messages.values() if m["changedSeq"] > after), key=lambda m: (m["changedSeq"], m["seq"])
        )
        by_rest, by_socket = (d.catch_up(room, after=after) for d in doors)
        assert by_rest == by_socket
        assert by_rest["messages"] == expected
        assert by_rest["status"] == ("missed" if expected else "caught_up")
        assert (by_rest["upToSeq"], by_rest["hasMore"]) == (12, False)
        assert by_rest["latest"] == {"messageId": whole.shown[-1]["id"], "seq": 12}
        assert by_rest["lastReceived"] == {"messageId": whole.shown[0]["id"], "seq": 1}


def test_tombstones_are_among_what_was_missed(cast: Cast, door: DoorTo, name: str) -> None:
    room, whole = busy_room(cast, name)
    missed = door(cast.ben).catch_up(room, after=6)
    assert [m["seq"] for m in missed["messages"] if m["deletedAt"]] == [6]
    assert all(m == whole.messages[m["id"]] for m in missed["messages"])


def test_an_absence_of_any_length_is_caught_up_page_by_page(cast: Cast, door: DoorTo, name: str) -> None:
    room, whole = busy_room(cast, name)
    for limit in (1, 2, 5):
        view, position, pages = View(room), 0, 0
        while True:
            page = door(cast.ben).catch_up(room, after=position, limit=limit)
            assert page["upToSeq"] > position
            assert len({m["changedSeq"] for m in page["messages"]}) <= limit
            for event in page["messages"]:
                view.apply(event)
            position, pages = page["upToSeq"], pages + 1
            if not page["hasMore"]:
                break
        assert pages > 1
        assert view.messages == whole.messages
        assert position == 12
        assert door(cast.ben).catch_up(room, after=position, limit=limit)["status"] == "caught_up"


def test_a_long_absence_is_not_bound_by_the_hot_history(cast: Cast, door: DoorTo, name: str, inside: Inside) -> None:
    room = cast.room(name, cast.ben)
    inside.fill(room, cast.ann.id, 450)
    found, position, pages = [], 0, []
    while not pages or pages[-1]["hasMore"]:
        pages.append(door(cast.ben).catch_up(room, after=position))
        found += pages[-1]["messages"]
        position = pages[-1]["upToSeq"]
    assert [page["upToSeq"] for page in pages] == [200, 400, 450]
    assert [m["seq"] for m in found] == list(range(1, 451))


def test_reading_what_was_missed_forgets_nothing(cast: Cast, door: DoorTo, name: str) -> None:
    room, _ = busy_room(cast, name)
    once = door(cast.ben).catch_up(room)
    assert once == door(cast.ben).catch_up(room)
    assert once["status"] == "missed"


def test_the_servers_own_record_serves_where_no_position_is_given(cast: Cast, door: DoorTo, name: str) -> None:
    room, whole = busy_room(cast, name)
    fifth = next(m for m in whole.shown if m["seq"] == 5)
    assert door(cast.ben).received(room, fifth["id"]) == 5
    missed = door(cast.ben).catch_up(room)
    assert missed["lastReceived"] == {"messageId": fifth["id"], "seq": 5}
    assert missed == door(cast.ben).catch_up(room, after=5)


def test_a_received_position_never_goes_back_nor_past_the_head(cast: Cast, name: str) -> None:
    room, whole = busy_room(cast, name)
    device = cast.device(cast.ben)
    first, last = whole.shown[0], whole.shown[-1]
    assert SocketDoor(cast.ben, device).received(room, last["id"]) == 12
    assert RestDoor(cast.ben).received(room, first["id"]) == 12
    assert device.ok("message:received", {"conversationId": room, "seq": 3}) == {"receivedSeq": 12}
    assert device.ok("message:received", {"conversationId": room, "seq": 2**53 - 1}) == {"receivedSeq": 12}
    error = device.refused("message:received", {"conversationId": room, "seq": 2**53})
    assert list(error["fields"]) == ["seq"]


def test_an_outsider_catches_up_with_nothing(cast: Cast, door: DoorTo, name: str) -> None:
    room = cast.room(name, cast.ben, visibility="private")
    said = door(cast.ann).say(room, "inside")
    assert door(cast.ben).catch_up(room, after=0)["messages"] == [said]
    with pytest.raises(Refused, match="not_found"):
        door(cast.dan).catch_up(room, after=0)
    with pytest.raises(Refused, match="not_found"):
        door(cast.dan).received(room, said["id"])


def test_rejoin_takes_a_slug_and_ones_own_user_id_only(cast: Cast, name: str) -> None:
    room = cast.room(name, cast.ben)
    assert RestDoor(cast.ben).catch_up(name, after=0, userId=cast.ben.id)["conversationId"] == room
    with pytest.raises(Refused, match="forbidden"):
        RestDoor(cast.ben).catch_up(room, after=0, userId=cast.ann.id)


def test_an_empty_conversation_is_caught_up(cast: Cast, door: DoorTo, name: str) -> None:
    room = cast.room(name)
    nowhere = {"messageId": None, "seq": None}
    assert door(cast.ann).catch_up(room, after=0) == {
        "status": "caught_up",
        "conversationId": room,
        "messages": [],
        "lastReceived": nowhere,
        "latest": nowhere,
        "upToSeq": 0,
        "hasMore": False,
    }


def test_the_hot_history_answers_as_the_database_does_after_it_was_lost(cast: Cast, name: str, inside: Inside) -> None:
    room, _ = busy_room(cast, name)
    door = SocketDoor(cast.ben, cast.device(cast.ben))
    door.received(room, cast.ben.history(room)[0]["id"])
    warm = [door.catch_up(room, after=n) for n in range(13)]
    inside.cache.delete(f"chat:{room}:messages:active", f"head:{room}", f"room:{room}:latest_message_id")
    assert [door.catch_up(room, after=n) for n in range(13)] == warm


def test_the_two_doors_agree_on_what_was_received_after_reading(cast: Cast, name: str) -> None:
    room, whole = busy_room(cast, name)
    doors = [RestDoor(cast.ben), SocketDoor(cast.ben, cast.device(cast.ben))]
    doors[0].received(room, whole.shown[0]["id"])
    doors[0].read(room, whole.shown[-1]["id"])
    by_rest, by_socket = (d.catch_up(room, after=11) for d in doors)
    assert by_rest["lastReceived"] == {"messageId": whole.shown[-1]["id"], "seq": 12}
    assert by_rest == by_socket
