"""A message that was accepted and cannot be kept: those who saw it hear so, its sender is told why."""

from __future__ import annotations

import uuid

import pytest

from tests.support.cast import Cast
from tests.support.clients import send_body
from tests.support.doors import RestDoor, committed
from tests.support.inside import Inside


def test_a_poisoned_message_is_withdrawn_and_the_rest_goes_on(cast: Cast, name: str, mode: str, inside: Inside) -> None:
    if mode == "through":
        pytest.skip("through has no log")
    device, hers = cast.device(cast.ben), cast.device(cast.ann)
    room = cast.room(name, cast.ben)
    first = RestDoor(cast.ann).send(room, "before")
    key = str(uuid.uuid4())
    poison = {
        **first,
        "id": str(uuid.uuid5(uuid.UUID(cast.ann.id), key)),
        "clientMessageId": key,
        "content": "x" * 5000,
    }
    inside.log.set(f"accepted:{poison['id']}", room)  # as the accept does
    inside.log_entry(poison)
    last = RestDoor(cast.ann).send(room, "after")
    told = device.next("message:withdrawn", lambda w: w["id"] == poison["id"])
    assert (told["conversationId"], bool(told["reason"])) == (room, True)
    why = hers.next("delivery", lambda d: d["messageId"] == poison["id"])
    assert (why["status"], why["recipientId"], why["upToSeq"], bool(why["failedReason"])) == (
        "failed",
        None,
        None,
        True,
    )
    committed(cast.ben, last["id"])
    assert device.heard("delivery", lambda d: d["messageId"] == poison["id"]) == []
    assert [m["id"] for m in cast.ben.history(room)] == [first["id"], last["id"]]
    assert [m["seq"] for m in cast.ben.history(room)] == [1, 2]
    status, error = cast.ann.refused("POST", "/messages/send", send_body(room, "x", key))
    assert (status, error["code"], list(error["fields"])) == (422, "invalid", ["content"])
