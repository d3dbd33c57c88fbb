"""Edits, deletions, reactions and replies: each takes one position, and is told to all as it will be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.cast import Cast
from tests.support.doors import Refused, committed
from tests.support.inside import Inside
from tests.support.stack import until
from tests.support.view import View

DoorTo = Callable[..., Any]


def heard_of(cast: Cast, who: Any, message_id: str, event: str, changed_seq: int) -> Any:
    """Wait for the event that told someone's device of a change."""
    return cast.device(who).next(
        event, lambda m: m["id"] == message_id and m["changedSeq"] == changed_seq and m["persisted"]
    )


def loaded(cast: Cast, message_id: str) -> Any:
    return cast.ben.ok("GET", f"/messages/{message_id}")["message"]


# edit ---------------------------------------------------------------------------------------------------------------------
def test_an_edit_changes_the_words_and_keeps_the_earlier_ones(cast: Cast, door: DoorTo, name: str) -> None:
    cast.device(cast.ben)
    room = cast.room(name, cast.ben)
    hers = door(cast.ann)
    said = hers.say(room, "teh")
    edited = [hers.edit(said["id"], words) for words in ("the", "  the end \n")][-1]
    assert (edited["content"], edited["isEdited"], edited["seq"], edited["changedSeq"]) == ("the end", True, 1, 3)
    assert edited["createdAt"] == said["createdAt"] < edited["editedAt"]
    assert edited == loaded(cast, said["id"]) == heard_of(cast, cast.ben, said["id"], "message:changed", 3)
    kept = cast.ben.ok("GET", f"/messages/{said['id']}/history")["items"]
    assert [(k["content"], k["position"], k["editorId"]) for k in kept] == [
        ("teh", 2, cast.ann.id),
        ("the", 3, cast.ann.id),
    ]


def test_an_edit_to_the_same_words_takes_no_position(cast: Cast, door: DoorTo, name: str, inside: Inside) -> None:
    room = cast.room(name)
    said = door(cast.ann).say(room, "as it is")
    assert door(cast.ann).edit(said["id"], " as it is ") == said
    assert inside.head(room) == 1


def test_only_the_author_edits_and_only_what_is_there(cast: Cast, door: DoorTo, name: str) -> None:
    room = cast.room(name, cast.ben)
    said = door(cast.ben).say(room, "his words")
    with pytest.raises(Refused, match="forbidden"):
        door(cast.ann).edit(said["id"], "her words")  # not even the owner
    with pytest.raises(Refused, match="not_found"):
        door(cast.dan).edit(said["id"], "an outsider's")
    assert door(cast.ben).edit(said["id"], "his own")["content"] == "his own"
    door(cast.ben).delete(said["id"])
    with pytest.raises(Refused, match="conflict"):
        door(cast.ben).edit(said["id"], "from the grave")


# delete -------------------------------------------------------------------------------------------------------------------
def test_a_deletion_leaves_a_tombstone_and_nothing_of_what_was_there(
    cast: Cast, door: DoorTo, name: str, inside: Inside
) -> None:
    cast.device(cast.ben)
    room = cast.room(name, cast.ben)
    hers = door(cast.ann)
    said = hers.say(room, f"secret for @{cast.ben.username}", metadata={"preview": "the secret again"})
    assert said["mentions"] == [cast.ben.id]
    hers.edit(said["id"], f"secret two for @{cast.ben.username}")
    door(cast.ben).react(said["id"], "👍")
    gone = hers.delete(said["id"])
    assert gone["deletedAt"]
    assert (gone["content"], gone["reactions"], gone["mentions"], gone["attachments"]) == ("", [], [], [])
    assert gone["metadata"] == {}
    assert (gone["seq"], gone["changedSeq"]) == (1, 4)
    assert gone == loaded(cast, said["id"]) == heard_of(cast, cast.ben, said["id"], "message:changed", 4)
    assert cast.ben.ok("GET", f"/messages/{said['id']}/history")["items"] == []
    assert [m["id"] for m in cast.ben.history(room)] == [said["id"]]
    assert hers.delete(said["id"]) == gone, "a second time is fine, and nothing"
    assert inside.head(room) == 4


def test_a_moderator_may_delete_and_another_member_may_not(cast: Cast, door: DoorTo, name: str) -> None:
    room = cast.room(name, cast.ben, cast.cyd)
    said = door(cast.ben).say(room, "his")
    with pytest.raises(Refused, match="forbidden"):
        door(cast.cyd).delete(said["id"])
    with pytest.raises(Refused, match="not_found"):
        door(cast.dan).delete(said["id"])
    assert door(cast.ann).delete(said["id"])["deletedAt"]


def test_a_direct_conversation_has_no_moderator(cast: Cast, door: DoorTo) -> None:
    said = door(cast.ben).say(cast.ann.direct(cast.ben), "his")
    with pytest.raises(Refused, match="forbidden"):
        door(cast.ann).delete(said["id"])
    assert door(cast.ben).delete(said["id"])["content"] == ""


# react --------------------------------------------------------------------------------------------------------------------
def test_reactions_are_counted_named_and_kept_in_the_order_they_came(
    cast: Cast, door: DoorTo, name: str, inside: Inside
) -> None:
    cast.device(cast.cyd)
    room = cast.room(name, cast.ben, cast.cyd)
    said = door(cast.ann).say(room, "react!")
    door(cast.ben).react(said["id"], "❤️")
    door(cast.ann).react(said["id"], "👍")
    now = door(cast.ann).react(said["id"], "❤️")
    assert now["reactions"] == [
        {"emoji": "❤️", "count": 2, "reactorIds": [cast.ben.id, cast.ann.id]},
        {"emoji": "👍", "count": 1, "reactorIds": [cast.ann.id]},
    ]
    assert now == loaded(cast, said["id"]) == heard_of(cast, cast.cyd, said["id"], "message:changed", 4)
    assert door(cast.ann).react(said["id"], "❤️") == now, "the same again is nothing"
    assert inside.head(room) == 4
    left = door(cast.ben).unreact(said["id"], "❤️")
    assert left["reactions"][0] == {"emoji": "👍", "count": 1, "reactorIds": [cast.ann.id]}
    assert left["changedSeq"] == 5
    assert door(cast.ben).unreact(said["id"], "❤️") == left, "nor is taking off what is not there"
    assert inside.head(room) == 5


def test_who_cannot_see_a_message_cannot_react_to_it(cast: Cast, door: DoorTo, name: str) -> None:
    room = cast.room(name, cast.ben)
    said = door(cast.ann).say(room, "for members")
    assert door(cast.ben).react(said["id"], "👀")["reactions"]
    for verb in (door(cast.dan).react, door(cast.dan).unreact):
        with pytest.raises(Refused, match="not_found"):
            verb(said["id"], "👀")
    door(cast.ann).delete(said["id"])
    with pytest.raises(Refused, match="conflict"):
        door(cast.ben).react(said["id"], "👀")


# reply --------------------------------------------------------------------------------------------------------------------
def test_a_reply_shares_its_position_with_its_roots_new_count(
    cast: Cast, door: DoorTo, name: str, inside: Inside
) -> None:
    cast.device(cast.ben)
    room = cast.room(name, cast.ben)
    root = door(cast.ann).say(room, "question")
    first = door(cast.ben).say(room, "answer", replyToId=root["id"])
    second = door(cast.ann).say(room, "answer to the answer", replyToId=first["id"])
    assert (first["replyToId"], first["threadRootId"], first["rootReplyCount"]) == (root["id"], root["id"], 1)
    assert (second["replyToId"], second["threadRootId"], second["rootReplyCount"]) == (first["id"], root["id"], 2)
    now = loaded(cast, root["id"])
    assert (now["replyCount"], now["seq"], now["changedSeq"]) == (2, 1, 3)
    assert inside.head(room) == 3
    for reply in (first, second):
        assert heard_of(cast, cast.ben, reply["id"], "message", reply["seq"]) == loaded(cast, reply["id"])
    for member in (first, root):
        thread = cast.ben.ok("GET", f"/messages/{member['id']}/thread")["items"]
        assert [m["id"] for m in thread] == [root["id"], first["id"], second["id"]]
    assert cast.ben.history(room) == [now, loaded(cast, first["id"]), loaded(cast, second["id"])]


def test_a_deleted_reply_no_longer_counts(cast: Cast, door: DoorTo, name: str, inside: Inside) -> None:
    cast.device(cast.ben)
    room = cast.room(name, cast.ben)
    root = door(cast.ann).say(room, "question")
    replies = [door(cast.ben).say(room, f"answer {n}", replyToId=root["id"]) for n in (1, 2)]
    gone = door(cast.ben).delete(replies[0]["id"])
    assert (gone["rootReplyCount"], gone["changedSeq"]) == (1, 4)
    assert (loaded(cast, root["id"])["replyCount"], loaded(cast, root["id"])["changedSeq"]) == (1, 4)
    heard_of(cast, cast.ben, gone["id"], "message:changed", 4)
    view = View(room).hear(cast.device(cast.ben))
    assert view.messages == View.fresh(cast.ben, room).messages
    assert inside.head(room) == 4


def test_an_edited_reply_does_not_turn_its_roots_count_back(cast: Cast, door: DoorTo, name: str) -> None:
    cast.device(cast.ben)
    room = cast.room(name, cast.ben)
    root = door(cast.ann).say(room, "question")
    replies = [door(cast.ben).say(room, f"answer {n}", replyToId=root["id"]) for n in (1, 2)]
    edited = door(cast.ben).edit(replies[0]["id"], "answer one")
    heard_of(cast, cast.ben, edited["id"], "message:changed", 4)
    view = View(room).hear(cast.device(cast.ben))
    assert view.messages[root["id"]]["replyCount"] == 2
    assert view.messages == View.fresh(cast.ben, room).messages


def test_a_reply_is_to_a_message_of_the_same_conversation(cast: Cast, door: DoorTo, name: str) -> None:
    room, other = cast.room(name), cast.room(name + "2")
    elsewhere = door(cast.ann).say(other, "elsewhere")
    with pytest.raises(Refused, match="invalid") as refused:
        door(cast.ann).send(room, "reply", replyToId=elsewhere["id"])
    assert list(refused.value.error["fields"]) == ["replyToId"]
    assert door(cast.ann).say(other, "reply", replyToId=elsewhere["id"])["threadRootId"] == elsewhere["id"]


def test_a_reply_may_follow_its_root_at_once(cast: Cast, door: DoorTo, name: str) -> None:
    room = cast.room(name)
    root = door(cast.ann).send(room, "not committed yet, perhaps")
    reply = door(cast.ann).send(room, "reply", replyToId=root["id"])
    assert committed(cast.ann, reply["id"])["threadRootId"] == root["id"]


# mention ------------------------------------------------------------------------------------------------------------------
def test_mentions_are_members_only_and_follow_an_edit(cast: Cast, door: DoorTo, name: str) -> None:
    cast.device(cast.ben)
    room = cast.room(name, cast.ben, cast.cyd)
    everybody = sorted([cast.ben.id, cast.cyd.id])
    said = door(cast.ann).say(
        room, f"@{cast.ben.username.upper()}, @{cast.cyd.username} @{cast.dan.username} x@{cast.ann.username} @nobody"
    )
    assert said["mentions"] == everybody
    assert heard_of(cast, cast.ben, said["id"], "message", 1) == said
    edited = door(cast.ann).edit(said["id"], f"only @{cast.cyd.username}.")
    assert edited["mentions"] == [cast.cyd.id]
    assert loaded(cast, said["id"]) == edited == heard_of(cast, cast.ben, said["id"], "message:changed", 2)


# positions ----------------------------------------------------------------------------------------------------------------
def test_every_kind_of_change_takes_exactly_the_next_position(
    cast: Cast, door: DoorTo, name: str, inside: Inside
) -> None:
    cast.device(cast.ben)
    room = cast.room(name, cast.ben)
    hers, his = door(cast.ann), door(cast.ben)
    root = hers.say(room, "one")
    reply = his.say(room, "two", replyToId=root["id"])
    took = [root, reply]
    took += [
        hers.edit(root["id"], "three"),
        his.react(root["id"], "4️⃣"),
        his.unreact(root["id"], "4️⃣"),
        his.delete(reply["id"]),
        hers.say(room, "seven"),
    ]
    assert [m["changedSeq"] for m in took] == list(range(1, 8))
    assert inside.head(room) == 7
    device = cast.device(cast.ben)
    heard = until(
        lambda: (found := [
            data["changedSeq"] for name, data in list(device.events)
            if name.startswith("message") and data["conversationId"] == room and data["persisted"]
        ]) and len(found) >= 7 and found, what="seven events",
    )  # fmt: skip
    assert sorted(set(heard)) == list(range(1, 8))  # type: ignore[call-overload]


def test_an_operation_on_what_is_not_committed_yet_is_refused_for_now(
    cast: Cast, door: DoorTo, name: str, mode: str, inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mode == "through":
        pytest.skip("through acks nothing that is not committed")
    room = cast.room(name)
    with inside.held(room):
        said = door(cast.ann).send(room, "waiting")
        monkeypatch.setattr("tests.support.clients.PATIENCE_S", 0)
        for change in (lambda: door(cast.ann).edit(said["id"], "too soon"), lambda: door(cast.ann).delete(said["id"])):
            with pytest.raises(Refused, match="unavailable") as refused:
                change()
            assert refused.value.error["temporary"] is True
    assert committed(cast.ann, said["id"])["content"] == "waiting"
    assert door(cast.ann).edit(said["id"], "now")["content"] == "now"
