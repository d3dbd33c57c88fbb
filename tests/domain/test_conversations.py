"""Making, listing, changing and ending conversations."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.cast import Cast, listens
from tests.support.clients import Person, Rest, send_body
from tests.support.doors import RestDoor, committed
from tests.support.inside import Inside


def test_two_people_have_one_direct_conversation_whoever_opens_it(cast: Cast, name: str) -> None:
    new = Person(cast.stack.url, name)
    calls = [
        (Rest(url, who.token), other) for url in cast.stack.urls for who, other in ((new, cast.dan), (cast.dan, new))
    ]
    with ThreadPoolExecutor(len(calls)) as pool:
        answers = list(
            pool.map(
                lambda c: c[0].call("POST", "/conversations", {"kind": "direct", "username": c[1].username.upper()}),
                calls,
            )
        )
    assert {a.status_code for a in answers} <= {200, 201}, [a.text for a in answers]
    assert sum(a.status_code == 201 for a in answers) == 1
    assert len({a.json()["data"]["conversation"]["id"] for a in answers}) == 1
    view = answers[0].json()["data"]["conversation"]
    assert {p["username"] for p in view["participants"]} == {new.username, cast.dan.username}


def test_nobody_talks_to_oneself_or_to_nobody(cast: Cast) -> None:
    status, error = cast.ann.refused("POST", "/conversations", {"kind": "direct", "username": cast.ann.username})
    assert (status, list(error["fields"])) == (422, ["username"])
    assert cast.ann.refused("POST", "/conversations", {"kind": "direct", "username": "nobody-at-all"})[0] == 404
    assert cast.ann.refused("GET", f"/conversations/with/{cast.ann.username}")[0] == 422


def test_opening_a_conversation_with_someone_gives_its_newest_page(cast: Cast, name: str) -> None:
    new = Person(cast.stack.url, name)
    opened = new.ok("GET", f"/conversations/with/{cast.dan.username}")
    assert (opened["items"], opened["hasBefore"], opened["upToSeq"]) == ([], False, 0)
    said = RestDoor(new).say(opened["conversation"]["id"], "hello")
    again = cast.dan.ok("GET", f"/conversations/with/{new.username}")
    assert (again["items"], again["upToSeq"]) == ([said], 1)
    assert again["conversation"]["lastMessage"] == said


def test_a_conversation_hides_itself_from_outsiders_at_every_call(cast: Cast, name: str) -> None:
    group = cast.group(name, cast.ben)
    for path in ("", "/messages", "/members"):
        assert cast.ben.call("GET", f"/conversations/{group}{path}").ok
        assert cast.dan.refused("GET", f"/conversations/{group}{path}")[0] == 404
    for method, path, body in (
        ("PATCH", "", {"title": "mine"}),
        ("DELETE", "", None),
        ("PUT", "/settings", {"muted": True}),
        ("POST", "/members", {"username": cast.dan.username}),
        ("POST", "/leave", None),
    ):
        assert cast.dan.refused(method, f"/conversations/{group}{path}", body)[0] == 404
    assert cast.ann.ok("GET", f"/conversations/{group}")["conversation"]["memberCount"] == 2


def test_a_slug_is_taken_once(cast: Cast, name: str) -> None:
    cast.room(name)
    body = {"kind": "room", "slug": name, "title": "again"}
    status, error = cast.ben.refused("POST", "/conversations", body)
    assert (status, error["code"], list(error["fields"])) == (409, "conflict", ["slug"])
    other = cast.ben.room(name + "-b")
    assert cast.ben.refused("PATCH", f"/conversations/{other}", {"slug": name})[0] == 409


def test_the_list_shows_the_most_recent_activity_first_page_by_page(cast: Cast, name: str) -> None:
    person = Person(cast.stack.url, name)
    rooms = [person.room(f"{name}-{n}", cast.ben) for n in range(5)]
    for number in (3, 0, 4):
        RestDoor(cast.ben).say(rooms[number], f"activity {number}")
    RestDoor(person).edit(RestDoor(person).say(rooms[2], "last")["id"], "an edit is no activity of its own")
    first = cast.ben.history(rooms[3])[0]
    RestDoor(cast.ben).edit(first["id"], "edited: stays where it is")
    expected = [rooms[n] for n in (2, 4, 0, 3, 1)]
    seen, cursor = [], None
    while True:
        page = person.ok("GET", "/conversations", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        assert len(page["items"]) <= 2
        seen += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert [c["id"] for c in seen] == expected
    by_id = {c["id"]: c for c in seen}
    assert by_id[rooms[3]]["lastMessage"]["content"] == "edited: stays where it is"
    assert (by_id[rooms[3]]["unreadCount"], by_id[rooms[2]]["unreadCount"], by_id[rooms[1]]["lastMessage"]) == (
        1,
        0,
        None,
    )
    assert all(c == person.ok("GET", f"/conversations/{c['id']}")["conversation"] for c in seen)


def test_settings_are_mine_alone(cast: Cast, name: str) -> None:
    device = cast.device(cast.ben)
    room = cast.room(name, cast.ben)
    wanted = {"muted": True, "archived": True, "pinned": True, "notifications": "mentions"}
    mine = cast.ben.ok("PUT", f"/conversations/{room}/settings", wanted)["conversation"]
    assert {k: mine[k] for k in wanted} == wanted
    assert device.next("conversation", lambda c: c["id"] == room and c.get("muted")) == mine
    hers = cast.ann.ok("GET", f"/conversations/{room}")["conversation"]
    assert (hers["muted"], hers["archived"], hers["pinned"], hers["notifications"]) == (False, False, False, "all")
    assert room in [c["id"] for c in cast.ben.ok("GET", "/conversations", params={"archived": "true"})["items"]]
    assert room not in [c["id"] for c in cast.ben.ok("GET", "/conversations", params={"archived": "false"})["items"]]


def test_a_change_of_face_reaches_every_member_as_a_fresh_load_shows_it(cast: Cast, name: str) -> None:
    device = cast.device(cast.ben)
    room = cast.room(name, cast.ben)
    before = cast.ben.ok("GET", f"/conversations/{room}")["conversation"]
    assert cast.ben.refused("PATCH", f"/conversations/{room}", {"title": "his"})[0] == 403
    cast.ann.ok("PATCH", f"/conversations/{room}", {"title": "New title", "topic": "New topic"})
    told = device.next("conversation", lambda c: c["id"] == room and c.get("title") == "New title")
    fresh = cast.ben.ok("GET", f"/conversations/{room}")["conversation"]
    assert told == fresh
    assert (fresh["version"], fresh["headSeq"]) == (before["version"] + 1, before["headSeq"])
    same = cast.ann.ok("PATCH", f"/conversations/{room}", {"title": "New title"})["conversation"]
    assert same["version"] == fresh["version"], "what is already so is no change"


def test_joining_and_leaving_reach_every_member_as_a_fresh_load_shows_it(cast: Cast, name: str) -> None:
    device = cast.device(cast.ben)
    room = cast.room(name, cast.ben)
    for method, path, count in (("POST", "/join", 3), ("POST", "/leave", 2)):
        cast.cyd.ok(method, f"/conversations/{room}{path}")
        fresh = cast.ben.ok("GET", f"/conversations/{room}")["conversation"]
        assert fresh["memberCount"] == len(fresh["participants"]) == count
        assert (
            device.next("conversation", lambda c, v=fresh["version"]: c["id"] == room and c.get("version") == v)
            == fresh
        )


@pytest.mark.parametrize("kind", ["room", "group"])
def test_an_ended_conversation_is_gone_for_all_and_loses_nothing(
    cast: Cast, name: str, kind: str, inside: Inside
) -> None:
    device = cast.device(cast.ben)
    target = cast.room(name, cast.ben) if kind == "room" else cast.group(name, cast.ben)
    key = "8ee7ac3e-4a3c-4c0c-9d0e-" + name[1:13]
    said = committed(cast.ben, RestDoor(cast.ben).send(target, "kept", key)["id"])
    assert cast.ben.refused("DELETE", f"/conversations/{target}")[0] == 403
    cast.ann.ok("DELETE", f"/conversations/{target}")
    assert device.next("conversation", lambda c: c["id"] == target and c.get("removed"))
    for person in (cast.ann, cast.ben):
        assert person.refused("GET", f"/conversations/{target}")[0] == 404
        assert person.refused("GET", f"/messages/{said['id']}")[0] == 404
        assert target not in [c["id"] for c in person.ok("GET", "/conversations", params={"limit": 200})["items"]]
    assert device.refused("message:send", send_body(target, "more"))["code"] == "not_found"
    again = cast.ben.call("POST", "/messages/send", send_body(target, "kept", key))
    assert (again.status_code, again.json()["data"]["message"]["id"]) == (200, said["id"])
    assert inside.rows("SELECT content FROM messages WHERE id = %s", said["id"]) == [("kept",)]
    if kind == "room":
        assert cast.ben.room(name), "its slug is free again"


def test_a_new_conversation_is_heard_of_by_those_who_are_in_it(cast: Cast, name: str) -> None:
    device = cast.device(cast.ben)
    room = cast.room(name, cast.ben)
    told = device.next("conversation", lambda c: c["id"] == room)
    assert (told["role"], told["headSeq"], told["lastMessage"]) == ("member", 0, None)
    listens(device, room)
    said = RestDoor(cast.ann).say(room, "first")
    assert device.next("message", lambda m: m["id"] == said["id"]) == said
