"""Joining, leaving, being removed: what one may read begins and ends with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from app.domain import messages
from tests.domain.conftest import Aside, at_once
from tests.support.cast import Cast, listens
from tests.support.clients import Person, send_body
from tests.support.doors import Refused, RestDoor, SocketDoor, committed
from tests.support.inside import Inside
from tests.support.stack import until

DoorTo = Callable[..., Any]


def roles(person: Person, conversation_id: str) -> dict[str, str]:
    items = person.ok("GET", f"/conversations/{conversation_id}/members")["items"]
    return {item["username"]: item["role"] for item in items}


def test_anyone_may_join_a_public_room_and_read_all_of_it(cast: Cast, door: DoorTo, name: str) -> None:
    device = cast.device(cast.cyd)
    room = cast.room(name)
    before = door(cast.ann).say(room, "before Cyd")
    view = cast.cyd.ok("POST", f"/conversations/{name}/join")["conversation"]
    assert (view["id"], view["role"], view["readSeq"], view["receivedSeq"]) == (room, "member", 1, 1)
    assert view["unreadCount"] == 0
    assert cast.cyd.history(room) == [before]
    listens(device, room)
    after = door(cast.ann).send(room, "after Cyd")
    assert device.next("message", lambda m: m["id"] == after["id"])["content"] == "after Cyd"
    assert cast.cyd.call("POST", f"/conversations/{room}/join").status_code == 200
    assert roles(cast.ann, room) == {cast.ann.username: "owner", cast.cyd.username: "member"}


def test_nobody_joins_a_private_room_or_a_group(cast: Cast, name: str) -> None:
    private, group = cast.room(name, cast.ben, visibility="private"), cast.group(name, cast.ben)
    for conversation_id in (private, group):
        assert cast.dan.refused("POST", f"/conversations/{conversation_id}/join")[0] == 404
        assert cast.ben.call("POST", f"/conversations/{conversation_id}/join").ok, "a member is in it already"
    assert name not in [room["slug"] for room in cast.dan.ok("GET", "/rooms", params={"q": name})["items"]]


def test_a_newcomer_to_a_group_never_sees_what_came_before(cast: Cast, door: DoorTo, name: str, inside: Inside) -> None:
    new, old = cast.device(cast.cyd), cast.device(cast.ben)
    group = cast.group(name, cast.ben)
    root = door(cast.ann).say(group, f"secret for @{cast.cyd.username}")
    reply = door(cast.ben).say(group, "secret reply", replyToId=root["id"])
    door(cast.ann).edit(root["id"], "secret edit")
    cast.ann.ok("POST", f"/conversations/{group}/members", {"username": cast.cyd.username})
    listens(new, group)
    assert cast.cyd.history(group) == []
    mine = door(cast.cyd)
    missed = mine.catch_up(group, after=0)
    assert (missed["messages"], missed["status"], missed["upToSeq"]) == ([], "caught_up", 3)
    assert missed["latest"] == missed["lastReceived"] == {"messageId": None, "seq": None}
    seen = cast.cyd.ok("GET", f"/conversations/{group}")["conversation"]
    assert (seen["lastMessage"], seen["unreadCount"], seen["mentionCount"]) == (None, 0, 0)
    for message in (root, reply):
        for path in ("", "/history", "/thread", "/receipts"):
            assert cast.ben.call("GET", f"/messages/{message['id']}{path}").ok
            assert cast.cyd.refused("GET", f"/messages/{message['id']}{path}")[0] == 404
        for verb in (lambda m=message: mine.react(m["id"], "👀"), lambda m=message: mine.received(group, m["id"])):
            with pytest.raises(Refused, match="not_found"):
                verb()
        with pytest.raises(Refused, match="not_found"):
            mine.read_all([message["id"]])
    with pytest.raises(Refused, match="invalid"):
        mine.send(group, "a reply", replyToId=root["id"])
    # changes of what came before
    door(cast.ben).react(root["id"], "👍")
    door(cast.ann).edit(root["id"], "secret again")
    third = door(cast.ben).say(group, "a reply to the secret", replyToId=root["id"])
    assert new.next("message", lambda m: m["id"] == third["id"])["rootReplyCount"] == 2
    assert old.next("message:changed", lambda m: m["content"] == "secret again")
    fence = door(cast.ann).say(group, "fence")
    new.next("message", lambda m: m["id"] == fence["id"])
    mine.received(group, fence["id"])
    heard = [
        data for event, data in list(new.events) if event.startswith("message") and data["conversationId"] == group
    ]
    assert {m["id"] for m in heard} == {third["id"], fence["id"]}
    for catch in (RestDoor(cast.cyd), SocketDoor(cast.cyd, new)):
        assert [m["id"] for m in catch.catch_up(group, after=0)["messages"]] == [third["id"], fence["id"]]
        assert [m["id"] for m in catch.catch_up(group, after=3)["messages"]] == [third["id"], fence["id"]]
    assert [m["id"] for m in cast.cyd.history(group)] == [third["id"], fence["id"]]


def test_an_emit_that_comes_late_does_not_reach_a_newcomer(cast: Cast, name: str, inside: Inside) -> None:
    new, old = cast.device(cast.cyd), cast.device(cast.ben)
    group = cast.group(name, cast.ben)
    secret = RestDoor(cast.ann).say(group, "secret")
    cast.ann.ok("POST", f"/conversations/{group}/members", {"username": cast.cyd.username})
    listens(new, group)
    before = len(old.heard("message", lambda m: m["id"] == secret["id"]))
    late = {"method": "emit", "event": "message", "data": [secret], "namespace": "/", "room": f"conversation:{group}"}
    inside.cache.publish(inside.channel("parley:emits"), orjson.dumps({**late, "host_id": "another process"}))
    until(lambda: len(old.heard("message", lambda m: m["id"] == secret["id"])) > before, what="the late emit")
    fence = RestDoor(cast.ann).say(group, "fence")
    new.next("message", lambda m: m["id"] == fence["id"])
    assert [m["id"] for m in new.messages(group)] == [fence["id"]]


def test_an_old_copy_of_the_log_does_not_reach_a_newcomer(cast: Cast, name: str, mode: str, inside: Inside) -> None:
    if mode == "through":
        pytest.skip("through has no log")
    new, old = cast.device(cast.cyd), cast.device(cast.ben)
    group = cast.group(name, cast.ben)
    acked = RestDoor(cast.ann).send(group, "secret")
    committed(cast.ann, acked["id"])
    cast.ann.ok("POST", f"/conversations/{group}/members", {"username": cast.cyd.username})
    listens(new, group)
    old.next("message", lambda m: m["id"] == acked["id"])
    before = len(old.heard("message", lambda m: m["id"] == acked["id"]))
    inside.log_entry(acked)
    until(lambda: len(old.heard("message", lambda m: m["id"] == acked["id"])) > before, what="the message again")
    fence = RestDoor(cast.ann).say(group, "fence")
    new.next("message", lambda m: m["id"] == fence["id"])
    assert [m["id"] for m in new.messages(group)] == [fence["id"]]
    assert inside.head(group) == 2, "the copy took a position"


def test_who_leaves_and_comes_back_to_a_group_reads_from_the_return_on(cast: Cast, door: DoorTo, name: str) -> None:
    group = cast.group(name, cast.cyd)
    first = door(cast.ann).say(group, "first time")
    assert door(cast.cyd).received(group, first["id"]) == 1
    cast.cyd.ok("POST", f"/conversations/{group}/leave")
    door(cast.ann).say(group, "while away")
    cast.ann.ok("POST", f"/conversations/{group}/members", {"username": cast.cyd.username})
    back = door(cast.ann).say(group, "back")
    listens(cast.device(cast.cyd), group)
    doors = [RestDoor(cast.cyd), SocketDoor(cast.cyd, cast.device(cast.cyd))]
    for answer in [d.catch_up(group, after=2) for d in doors]:
        assert answer["messages"] == [back]
        assert answer["lastReceived"] == {"messageId": None, "seq": None}
    assert cast.cyd.history(group) == [back]
    assert cast.cyd.refused("GET", f"/messages/{first['id']}")[0] == 404


def test_a_removed_member_hears_nothing_more_within_a_second_on_any_process(cast: Cast, name: str) -> None:
    room, other = cast.room(name, cast.ben, cast.cyd), cast.room(name + "2", cast.ben, cast.cyd)
    gone = [cast.ben.socket(url) for url in cast.stack.urls]
    stays = cast.device(cast.cyd)
    for device in [*gone, stays]:
        listens(device, room)
        device.ok("subscribe", {"channels": [f"receipts:{room}"]})
    said = RestDoor(cast.ann).say(room, "all hear this")
    for device in [*gone, stays]:
        assert device.next("message", lambda m: m["id"] == said["id"])
    cast.ann.ok("DELETE", f"/conversations/{room}/members/{cast.ben.id}")
    removed_at = time.monotonic()
    probes: dict[str, float] = {}
    while time.monotonic() < removed_at + 1.6:
        probes[RestDoor(cast.ann).send(room, "probe")["id"]] = time.monotonic()
    late = [message_id for message_id, sent_at in probes.items() if sent_at > removed_at + 1.0]
    assert late
    assert stays.next("message", lambda m: m["id"] == late[-1])
    RestDoor(cast.cyd).read(room, committed(cast.cyd, late[-1])["id"])
    assert stays.next("receipt", lambda r: r["conversationId"] == room)
    fence = RestDoor(cast.ann).say(other, "fence")
    for device in gone:
        assert device.next("conversation", lambda c: c["id"] == room and c.get("removed"))
        device.next("message", lambda m: m["id"] == fence["id"])
        heard = {m["id"] for m in device.heard("message", lambda m: m["conversationId"] == room)}
        assert not heard & set(late)
        assert device.heard("receipt", lambda r: r["conversationId"] == room and r["messageId"] == late[-1]) == []
        assert device.refused("sync", {"conversationId": room, "after": 0})["code"] == "not_found"
        assert device.refused("subscribe", {"channels": [f"conversation:{room}"]})["code"] == "not_found"
        assert device.refused("message:send", send_body(room, "still here?"))["code"] == "not_found"
        device.close()
    assert cast.ben.refused("GET", f"/conversations/{room}/messages")[0] == 404
    assert cast.ben.refused("GET", f"/messages/{said['id']}")[0] == 404


def test_a_removed_member_can_send_nothing_more_at_once(cast: Cast, door: DoorTo, name: str) -> None:
    room = cast.room(name, cast.ben)
    assert door(cast.ben).say(room, "allowed")
    cast.ann.ok("DELETE", f"/conversations/{room}/members/{cast.ben.id}")
    with pytest.raises(Refused, match="not_found"):
        door(cast.ben).send(room, "not any more")
    cast.ann.ok("POST", f"/conversations/{room}/members", {"username": cast.ben.username})
    assert door(cast.ben).say(room, "back again")["seq"] == 2


def test_an_admin_removes_members_only_and_an_owner_admins_too(cast: Cast, name: str) -> None:
    room = cast.room(name, cast.ben, cast.cyd)
    members = f"/conversations/{room}/members"
    assert cast.ben.refused("DELETE", f"{members}/{cast.cyd.id}")[0] == 403
    assert cast.ben.refused("POST", members, {"username": cast.cyd.username, "role": "admin"})[0] == 403
    for person in (cast.ben, cast.cyd):
        cast.ann.ok("POST", members, {"username": person.username, "role": "admin"})
    assert roles(cast.ann, room)[cast.ben.username] == "admin"
    assert cast.ben.refused("DELETE", f"{members}/{cast.cyd.id}")[0] == 403
    assert cast.ben.refused("DELETE", f"{members}/{cast.ann.id}")[0] == 403
    assert cast.dan.refused("DELETE", f"{members}/{cast.cyd.id}")[0] == 404
    assert cast.ann.refused("DELETE", f"{members}/{cast.dan.id}")[0] == 404
    cast.ann.ok("POST", members, {"username": cast.cyd.username, "role": "member"})
    assert cast.ben.ok("DELETE", f"{members}/{cast.cyd.id}") == {"removed": cast.cyd.id}
    assert cast.ann.ok("DELETE", f"{members}/{cast.ben.id}") == {"removed": cast.ben.id}
    assert roles(cast.ann, room) == {cast.ann.username: "owner"}


def test_the_last_owner_hands_the_room_on(cast: Cast, name: str) -> None:
    room = cast.room(name, cast.ben, cast.cyd)
    cast.ann.ok("POST", f"/conversations/{room}/members", {"username": cast.cyd.username, "role": "admin"})
    assert cast.ann.ok("POST", f"/conversations/{room}/leave") == {"left": room}
    assert roles(cast.ben, room) == {cast.ben.username: "member", cast.cyd.username: "owner"}
    assert cast.ann.refused("POST", f"/conversations/{room}/leave")[0] == 404
    cast.cyd.ok("POST", f"/conversations/{room}/leave")
    assert roles(cast.ben, room) == {cast.ben.username: "owner"}


def test_nobody_is_added_to_or_leaves_a_direct_conversation(cast: Cast) -> None:
    direct = cast.ann.direct(cast.ben)
    assert cast.ann.refused("POST", f"/conversations/{direct}/members", {"username": cast.cyd.username})[0] == 403
    assert cast.ann.refused("POST", f"/conversations/{direct}/leave")[0] == 403
    assert cast.ann.refused("DELETE", f"/conversations/{direct}/members/{cast.ben.id}")[0] == 403
    assert cast.ann.refused("DELETE", f"/conversations/{direct}")[0] == 403
    assert roles(cast.ben, direct) == {cast.ann.username: "member", cast.ben.username: "member"}


def test_a_page_asked_by_a_member_is_whole_though_they_are_removed_meanwhile(
    aside: Aside, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = aside.room(name)
    aside.accept(room, "said while Ben was there")
    aside.drain()
    page, removal = messages.views.page, f"/conversations/{room}/members/{aside.ben['id']}"

    def removed_in_between(*arguments: Any, **more: Any) -> Any:
        at_once(lambda: aside.call(aside.ann, "DELETE", removal))
        return page(*arguments, **more)

    monkeypatch.setattr(messages.views, "page", removed_in_between)
    found = aside.call(aside.ben, "GET", f"/conversations/{room}/messages")
    assert ([m["content"] for m in found["items"]], found["upToSeq"]) == (["said while Ben was there"], 1)
