"""Attachments: claimed by a message, seen by those who see it, gone with it; on every path a message takes, in both modes."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
from PIL import Image

from tests.support.cast import Cast
from tests.support.clients import Person
from tests.support.doors import Door, Refused, RestDoor, committed
from tests.support.inside import Inside
from tests.support.stack import Stack, until

Enter = Callable[[Person], Door]


def picture(width: int = 40, height: int = 20, kind: str = "PNG", **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, kind, **more)
    return out.getvalue()


def test_a_message_carries_its_attachments_everywhere(cast: Cast, door: Enter, name: str) -> None:
    ann, ben = cast.ann, cast.ben
    room = cast.room(name, ben)
    device = cast.device(ben)
    after = ben.ok("GET", f"/conversations/{room}")["conversation"]["headSeq"]
    first, second = ann.upload(picture(), "cat.png"), ann.upload(b"some words")
    sent = door(ann).say(room, "", attachmentIds=[second["id"], first["id"]], messageType="file")
    assert sent["attachments"] == [second, first]
    heard = device.next("message", lambda m: m["id"] == sent["id"] and m["persisted"])
    missed = ben.ok("GET", f"/rooms/{room}/rejoin", params={"after": after})["messages"]
    synced = device.ok("sync", {"conversationId": room, "after": after})["messages"]
    last = ben.ok("GET", f"/conversations/{room}")["conversation"]["lastMessage"]
    for seen in (
        heard,
        ben.history(room)[-1],
        missed[-1],
        synced[-1],
        last,
        ben.ok("GET", f"/messages/{sent['id']}")["message"],
    ):
        assert seen == {**sent, **{k: seen[k] for k in ("changedSeq",)}}
        assert seen["attachments"] == [second, first]
    assert ben.file(first["id"]).content == picture()
    assert ben.file(second["id"]).content == b"some words"


def test_what_was_edited_keeps_its_attachments_and_may_lose_its_words(cast: Cast, door: Enter, name: str) -> None:
    room = cast.room(name, cast.ben)
    upload = cast.ann.upload(b"x")
    sent = door(cast.ann).say(room, "look", attachmentIds=[upload["id"]])
    assert door(cast.ann).edit(sent["id"], "")["attachments"] == [upload]
    assert door(cast.ben).react(sent["id"], "👍")["attachments"] == [upload]
    plain = door(cast.ann).say(room, "words only")
    with pytest.raises(Refused) as refused:
        door(cast.ann).edit(plain["id"], "")
    assert refused.value.error["fields"] == {"content": ["must not be empty"]}


def test_a_tombstones_attachments_are_gone_at_once(cast: Cast, door: Enter, name: str) -> None:
    room = cast.room(name, cast.ben)
    upload = cast.ann.upload(picture())
    sent = door(cast.ann).say(room, "look", attachmentIds=[upload["id"]])
    assert cast.ben.file(upload["id"]).status_code == 200
    assert door(cast.ann).delete(sent["id"])["attachments"] == []
    for person in (cast.ann, cast.ben):
        assert person.file(upload["id"]).status_code == 404
        assert person.file(upload["id"], size="thumbnail").status_code == 404
    with pytest.raises(Refused) as refused:
        door(cast.ann).send(room, "again", attachmentIds=[upload["id"]])
    assert refused.value.error["fields"] == {"attachmentIds": ["names an upload that was not found"]}


def test_an_upload_is_its_uploaders_until_a_message_has_it(cast: Cast, door: Enter, name: str) -> None:
    ann, ben, dan = cast.ann, cast.ben, cast.dan
    room = cast.room(name, ben)
    upload = ann.upload(b"mine")
    assert ann.file(upload["id"]).content == b"mine"
    assert [person.file(upload["id"]).status_code for person in (ben, dan)] == [404, 404]
    with pytest.raises(Refused) as refused:
        door(ben).send(room, "hers", attachmentIds=[upload["id"]])
    assert refused.value.error["fields"] == {"attachmentIds": ["names an upload that was not found"]}
    door(ann).say(room, "ours", attachmentIds=[upload["id"]])
    assert [person.file(upload["id"]).status_code for person in (ann, ben, dan)] == [200, 200, 404]


def test_who_leaves_or_joins_later_does_not_see_it(cast: Cast, door: Enter, name: str) -> None:
    ann, ben, dan = cast.ann, cast.ben, cast.dan
    group = cast.group(name, ben)
    upload = ann.upload(b"ours")
    door(ann).say(group, "", attachmentIds=[upload["id"]])
    ann.ok("POST", f"/conversations/{group}/members", {"username": dan.username})
    assert dan.file(upload["id"]).status_code == 404  # a group's earlier history is not for them
    assert ben.file(upload["id"]).status_code == 200
    ben.ok("POST", f"/conversations/{group}/leave")
    assert ben.file(upload["id"]).status_code == 404
    ann.ok("POST", f"/conversations/{group}/leave")
    assert ann.file(upload["id"]).status_code == 404


def test_a_retry_is_answered_with_the_first_and_adds_nothing(cast: Cast, door: Enter, name: str) -> None:
    room = cast.room(name, cast.ben)
    upload, other = cast.ann.upload(b"one"), cast.ann.upload(b"two")
    key = str(uuid.uuid4())
    sent = door(cast.ann).send(room, "look", key, attachmentIds=[upload["id"]])
    for retried in ([upload["id"]], [other["id"]], [upload["id"], other["id"]], []):
        assert door(cast.ann).send(room, "look", key, attachmentIds=retried)["attachments"] == [upload]
    assert committed(cast.ann, sent["id"])["attachments"] == [upload]
    assert door(cast.ann).send(room, "look", key, attachmentIds=[other["id"]])["attachments"] == [upload]
    assert cast.ben.file(other["id"]).status_code == 404


def test_one_upload_is_part_of_one_message(cast: Cast, door: Enter, name: str) -> None:
    room = cast.room(name, cast.ben)
    upload = cast.ann.upload(b"one")
    door(cast.ann).send(room, "first", attachmentIds=[upload["id"]])
    with pytest.raises(Refused) as refused:
        door(cast.ann).send(room, "second", attachmentIds=[upload["id"]])
    assert refused.value.code == "conflict"
    assert refused.value.error["fields"] == {"attachmentIds": ["names an upload that is part of another message"]}


def test_what_was_refused_lets_go_of_its_uploads(cast: Cast, door: Enter, name: str, inside: Inside) -> None:
    ann, ben = cast.ann, cast.ben
    room = cast.room(name, ben)
    upload = ben.upload(b"one")
    door(ben).say(room, "in the cache of memberships")
    ann.ok("DELETE", f"/conversations/{room}/members/{ben.id}")
    with pytest.raises(Refused):
        door(ben).send(room, "too late", attachmentIds=[upload["id"]])
    elsewhere = cast.room(name + "-2", ben)
    assert door(ben).say(elsewhere, "", attachmentIds=[upload["id"]])["attachments"] == [upload]
    claim = "SELECT conversation_id::text FROM attachments WHERE id = %s"
    assert inside.rows(claim, upload["id"]) == [(elsewhere,)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"messageType": "image"}, "messageType"),
        ({"messageType": "voice"}, "messageType"),
        ({"attachmentIds": [str(uuid.uuid4())]}, "attachmentIds"),
        ({"attachmentIds": [str(uuid.UUID(int=n)) for n in range(11)]}, "attachmentIds"),
    ],
)
def test_a_wrong_send_names_its_field(cast: Cast, door: Enter, name: str, body: dict[str, Any], field: str) -> None:
    room = cast.room(name)
    upload = cast.ann.upload(b"no picture, no sound")
    with pytest.raises(Refused) as refused:
        door(cast.ann).send(room, "", **{"attachmentIds": [upload["id"]], **body})
    assert refused.value.code == "invalid"
    assert list(refused.value.error["fields"]) == [field]
    assert door(cast.ann).say(room, "", attachmentIds=[upload["id"]])["attachments"] == [upload]


def test_an_upload_twice_in_a_message_and_none_with_no_words_are_refused(cast: Cast, door: Enter, name: str) -> None:
    room = cast.room(name)
    upload = cast.ann.upload(b"x")
    for body, field in (({"attachmentIds": [upload["id"]] * 2}, "attachmentIds"), ({"attachmentIds": []}, "content")):
        with pytest.raises(Refused) as refused:
            door(cast.ann).send(room, " ", **body)
        assert list(refused.value.error["fields"]) == [field]


def test_a_provisional_message_shows_its_attachments_and_gives_them_once_committed(
    cast: Cast, mode: str, name: str, inside: Inside
) -> None:
    if mode == "through":
        pytest.skip("nothing is provisional through")
    room = cast.room(name, cast.ben)
    device = cast.device(cast.ben)
    upload = cast.ann.upload(picture(), "cat.png")
    body = {
        "conversationId": room,
        "content": "",
        "clientMessageId": str(uuid.uuid4()),
        "attachmentIds": [upload["id"]],
    }
    with inside.held(room):
        sent = cast.ann.ok("POST", "/messages/send", body)["message"]
        shown = device.next("message", lambda m: m["id"] == sent["id"])
        assert (shown["persisted"], shown["attachments"]) == (False, [upload])
        assert cast.ben.history(room)[-1]["attachments"] == [upload]
        early = cast.ben.session.get(
            f"{cast.ben.url}/api/uploads/{upload['id']}", headers={"Authorization": f"Bearer {cast.ben.token}"}
        )
        assert (early.status_code, early.json()["error"]["code"]) == (503, "unavailable")
        assert cast.dan.file(upload["id"]).status_code == 404
    final = device.next("message", lambda m: m["id"] == sent["id"] and m["persisted"])
    assert final["attachments"] == [upload]
    until(lambda: cast.ben.file(upload["id"]).status_code == 200, what="the file")


def test_row_security_alone_keeps_an_upload_to_those_who_may(cast: Cast, stack: Stack, name: str) -> None:
    group = cast.group(name, cast.ben)
    waiting, sent = cast.ann.upload(b"waiting"), cast.ann.upload(b"sent")
    RestDoor(cast.ann).say(group, "", attachmentIds=[sent["id"]])
    connection = psycopg2.connect(stack.environ["DATABASE_URL"])
    seen = []
    with connection.cursor() as cursor:
        for who in (None, cast.ann, cast.ben, cast.dan):
            cursor.execute("SELECT set_config('parley.actor_id', %s, true)", (who.id if who else "",))
            cursor.execute("SELECT count(*) FROM attachments WHERE id IN (%s, %s)", (waiting["id"], sent["id"]))
            seen.append(cursor.fetchone()[0])
        cursor.execute("SELECT set_config('parley.actor_id', %s, true)", (cast.ben.id,))
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("UPDATE attachments SET position = 1 WHERE id = %s", (sent["id"],))
    connection.close()
    assert seen == [0, 2, 1, 0]
