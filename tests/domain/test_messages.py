"""Sending: accepted once, kept for ever, in order, whichever door and write mode."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.cast import Cast
from tests.support.clients import Rest, send_body
from tests.support.doors import Refused, committed, pour
from tests.support.inside import Inside

DoorTo = Callable[..., Any]
# Unicode's White_Space property; U+200B, U+FEFF and U+001C are not in it, whatever str.strip() thinks.
WHITE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2009\u200a\u2028\u2029\u202f\u205f\u3000"


def new_id() -> str:
    return str(uuid.uuid4())


# what an ack is ---------------------------------------------------------------------------------------------------------
def test_a_send_is_acked_with_the_message_and_becomes_final(cast: Cast, door: DoorTo, name: str) -> None:
    room, key = cast.room(name, cast.ben), new_id()
    acked = door(cast.ann).send(room, "hello", key, metadata={"colour": "red"})
    final = committed(cast.ben, acked["id"])
    assert acked["content"] == final["content"] == "hello"
    assert acked["conversationId"] == room
    assert acked["clientMessageId"] == final["clientMessageId"] == key
    assert final["senderId"] == cast.ann.id
    assert final["sender"] == acked["sender"]
    assert final["metadata"] == {"colour": "red"}
    assert (final["seq"], final["changedSeq"], final["persisted"]) == (1, 1, True)
    assert (acked["seq"] is None) == (not acked["persisted"])


def test_an_ack_says_persisted_only_where_the_database_has_it(
    cast: Cast, door: DoorTo, name: str, mode: str, inside: Inside
) -> None:
    room = cast.room(name)
    acked = door(cast.ann).send(room, "how far?")
    if mode == "through":
        assert acked["persisted"]
        assert inside.rows("SELECT seq FROM messages WHERE id = %s", acked["id"]) == [(acked["seq"],)]
    else:
        assert (acked["persisted"], acked["seq"], acked["changedSeq"]) == (False, None, None)


def test_the_id_is_derived_from_the_sender_and_the_clients_id(cast: Cast, door: DoorTo, name: str) -> None:
    room, key = cast.room(name, cast.ben), new_id()
    hers, his = door(cast.ann).send(room, "mine", key), door(cast.ben).send(room, "also mine", key)
    assert hers["id"] == str(uuid.uuid5(uuid.UUID(cast.ann.id), key))
    assert his["id"] == str(uuid.uuid5(uuid.UUID(cast.ben.id), key))
    assert {committed(cast.ann, m["id"])["seq"] for m in (hers, his)} == {1, 2}


def test_a_send_without_a_clients_id_is_given_one(cast: Cast, door: DoorTo, name: str) -> None:
    room = cast.room(name)
    acked = door(cast.ann).send_raw({"conversationId": room, "content": "no id"})
    assert uuid.UUID(acked["clientMessageId"])


@pytest.mark.parametrize("target", ["roomId", "slug", "recipientUsername"])
def test_a_send_may_name_its_target_in_other_ways(cast: Cast, door: DoorTo, name: str, target: str) -> None:
    room = cast.ann.direct(cast.ben) if target == "recipientUsername" else cast.room(name)
    named = {"roomId": room, "slug": name, "recipientUsername": cast.ben.username}[target]
    acked = door(cast.ann).send(None, "there", **{"roomId" if target == "slug" else target: named})
    assert acked["conversationId"] == room


# once, for ever -----------------------------------------------------------------------------------------------------------
def test_a_retry_at_once_gives_the_first_message(cast: Cast, door: DoorTo, name: str) -> None:
    room, key = cast.room(name), new_id()
    first = door(cast.ann).send(room, "first words", key)
    again = door(cast.ann).send(room, "other words", key)
    assert (again["id"], again["content"]) == (first["id"], "first words")
    committed(cast.ann, first["id"])
    assert [m["content"] for m in cast.ann.history(room)] == ["first words"]


def test_a_retry_after_the_commit_gives_the_final_message(cast: Cast, door: DoorTo, name: str) -> None:
    room, key = cast.room(name), new_id()
    final = committed(cast.ann, door(cast.ann).send(room, "once", key)["id"])
    assert door(cast.ann).send(room, "once", key) == final
    assert door(cast.ann).send(None, "once", key, roomId=name) == final


def test_a_retry_is_known_at_the_other_door(cast: Cast, name: str) -> None:
    room, key = cast.room(name), new_id()
    body = send_body(room, "both doors", key)
    device = cast.device(cast.ann)
    first = device.ok("message:send", body)["message"]
    response = cast.ann.call("POST", "/messages/send", body)
    assert response.status_code == 200, "201 would claim a second message"
    assert response.json()["data"]["message"]["id"] == first["id"]


def test_many_retries_at_the_same_moment_make_one_message(cast: Cast, name: str) -> None:
    room, key = cast.room(name), new_id()
    doors = [Rest(url, cast.ann.token) for url in cast.stack.urls * 4]
    with ThreadPoolExecutor(len(doors)) as pool:
        answers = list(pool.map(lambda d: d.call("POST", "/messages/send", send_body(room, "hurry", key)), doors))
    assert {a.status_code for a in answers} <= {200, 201}, [a.text for a in answers]
    assert sum(a.status_code == 201 for a in answers) == 1
    assert len({a.json()["data"]["message"]["id"] for a in answers}) == 1
    assert [m["content"] for m in cast.ann.until_persisted(room, 1)] == ["hurry"]


def test_a_retry_after_the_membership_ended_is_still_answered(cast: Cast, door: DoorTo, name: str) -> None:
    room, key = cast.room(name, cast.ben), new_id()
    first = committed(cast.ben, door(cast.ben).send(room, "my last words", key)["id"])
    cast.ann.ok("DELETE", f"/conversations/{room}/members/{cast.ben.id}")
    with pytest.raises(Refused, match="not_found"):
        door(cast.ben).send(room, "one more")
    assert door(cast.ben).send(room, "my last words", key)["id"] == first["id"]
    assert [m["content"] for m in cast.ann.history(room)] == ["my last words"]


def test_a_retry_is_known_after_redis_was_emptied(cast: Cast, door: DoorTo, name: str, inside: Inside) -> None:
    room, key = cast.room(name), new_id()
    first = door(cast.ann).say(room, "before")
    second = committed(cast.ann, door(cast.ann).send(room, "kept", key)["id"])
    for redis in (inside.log, inside.cache):
        redis.flushdb()
    assert door(cast.ann).send(room, "kept", key) == second
    after = door(cast.ann).say(room, "after")
    assert [m["id"] for m in cast.ann.history(room)] == [first["id"], second["id"], after["id"]]


def test_the_same_clients_id_with_another_target_is_a_conflict(cast: Cast, door: DoorTo, name: str) -> None:
    one, other, key = cast.room(name), cast.room(name + "2"), new_id()
    first = door(cast.ann).send(one, "here", key)
    for _ in ("at once", "after the commit"):
        with pytest.raises(Refused, match="conflict"):
            door(cast.ann).send(other, "there", key)
        committed(cast.ann, first["id"])
    assert cast.ann.history(other) == []
    assert door(cast.ann).send(one, "here", key)["id"] == first["id"]


def test_a_conflict_is_seen_among_sends_of_the_same_moment(cast: Cast, name: str) -> None:
    rooms, key = [cast.room(name), cast.room(name + "2")], new_id()
    doors = [(Rest(cast.stack.urls[0], cast.ann.token), rooms[number % 2]) for number in range(8)]
    with ThreadPoolExecutor(len(doors)) as pool:
        answers = list(pool.map(lambda d: d[0].call("POST", "/messages/send", send_body(d[1], "where?", key)), doors))
    kept = [a.json()["data"]["message"]["conversationId"] for a in answers if a.ok]
    assert len(set(kept)) == 1, "one clientMessageId was accepted for two conversations"
    assert len(kept) == 4
    assert {a.json()["error"]["code"] for a in answers if not a.ok} == {"conflict"}


# what may be said ---------------------------------------------------------------------------------------------------------
def test_white_space_is_trimmed_off_both_ends_and_nothing_else(cast: Cast, door: DoorTo, name: str) -> None:
    room = cast.room(name)
    said = {
        f"{WHITE}a \n b{WHITE}": "a \n b",
        "\u200bzero width\u200b": "\u200bzero width\u200b",
        "\ufeffmark": "\ufeffmark",
        "\x1cfile separator\x1f": "\x1cfile separator\x1f",
    }
    for given, kept in said.items():
        assert door(cast.ann).say(room, given)["content"] == kept


@pytest.mark.parametrize("letter", ["x", "ß", "\U0001f600"])
def test_content_has_at_most_4000_code_points_after_trimming(cast: Cast, door: DoorTo, name: str, letter: str) -> None:
    room = cast.room(name)
    assert door(cast.ann).say(room, f"  {letter * 4000}\n")["content"] == letter * 4000
    with pytest.raises(Refused, match="invalid") as refused:
        door(cast.ann).send(room, letter * 4001)
    assert "content" in refused.value.error["fields"]


@pytest.mark.parametrize("content", ["", "   ", WHITE, "a\x00b", "a\ud800b", "\udc00"], ids=repr)
def test_content_that_cannot_be_kept_is_refused_by_name(cast: Cast, door: DoorTo, name: str, content: str) -> None:
    room = cast.room(name)
    with pytest.raises(Refused, match="invalid") as refused:
        door(cast.ann).send(room, content)
    assert list(refused.value.error["fields"]) == ["content"]
    assert not refused.value.error["temporary"]
    with pytest.raises(Refused, match="invalid"):
        door(cast.ann).edit(door(cast.ann).say(room, "guard")["id"], content)
    assert [m["content"] for m in cast.ann.history(room)] == ["guard"]


def test_any_other_text_comes_back_as_it_was_typed(cast: Cast, door: DoorTo, name: str) -> None:
    room = cast.room(name)
    texts = [
        "<b>&amp;</b>",
        "e\u0301 \u00e9",
        "👩‍👩‍👧‍👦 🏳️‍🌈",
        "שלום عالم",
        "'; DROP TABLE messages; --",
        "\\u0000 \\x00 %s {}",
        "\x01\x7f",
    ]
    ids = [door(cast.ann).send(room, text)["id"] for text in texts]
    assert [committed(cast.ann, message_id)["content"] for message_id in ids] == texts


# in order -----------------------------------------------------------------------------------------------------------------
def test_one_sockets_sends_keep_their_order_however_many_are_under_way(cast: Cast, name: str) -> None:
    device = cast.device(cast.ann)
    room = cast.room(name, cast.ben)
    texts = [f"line {number}" for number in range(60)]
    pour(device, room, texts)
    kept = cast.ben.until_persisted(room, 60)
    assert [m["content"] for m in kept] == texts
    assert [m["seq"] for m in kept] == list(range(1, 61))


def test_a_send_after_one_that_is_known_is_accepted(cast: Cast, door: DoorTo, name: str) -> None:
    room, keys = cast.room(name), [new_id() for _ in range(3)]
    door(cast.ann).send(room, "one", keys[0])
    second = door(cast.ann).send(room, "two", keys[1], afterClientMessageId=keys[0])
    committed(cast.ann, second["id"])
    third = door(cast.ann).send(room, "three", keys[2], afterClientMessageId=keys[1])
    assert committed(cast.ann, third["id"])["seq"] == 3


def test_a_send_after_one_that_never_came_is_out_of_order_for_now(cast: Cast, door: DoorTo, name: str) -> None:
    room, lost, key = cast.room(name, cast.ben), new_id(), new_id()
    door(cast.ben).send(room, "the same id of another sender", lost)
    with pytest.raises(Refused, match="out_of_order") as refused:
        door(cast.ann).send(room, "second", key, afterClientMessageId=lost)
    assert refused.value.error["temporary"] is True
    door(cast.ann).send(room, "first", lost)
    door(cast.ann).send(room, "second", key, afterClientMessageId=lost)
    kept = [m["content"] for m in cast.ann.until_persisted(room, 3) if m["senderId"] == cast.ann.id]
    assert kept == ["first", "second"]


# to whom ------------------------------------------------------------------------------------------------------------------
def test_an_outsider_can_neither_send_nor_tell_whether_there_is_a_room(cast: Cast, door: DoorTo, name: str) -> None:
    room = cast.room(name, cast.ben, visibility="private")
    assert door(cast.ben).say(room, "a member may")["seq"] == 1
    errors = []
    for target in (room, new_id()):
        with pytest.raises(Refused, match="not_found") as refused:
            door(cast.dan).send(target, "let me in")
        errors.append({k: v for k, v in refused.value.error.items() if k != "requestId"})
    assert errors[0] == errors[1]
    assert len(cast.ann.history(room)) == 1
