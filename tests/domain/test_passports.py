"""A message's passport tells its whole way, to those who may see the message."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from app.domain import failures
from app.kernel import clock
from tests.support.cast import Cast
from tests.support.clients import Person
from tests.support.doors import Door, Refused, RestDoor
from tests.support.inside import Inside
from tests.support.wired import inside as wired

DoorTo = Callable[[Person], Door]


def passport(person: Person, message_id: str) -> list[tuple[str, str | None]]:
    found = person.ok("GET", f"/messages/{message_id}/passport")["passport"]
    return [(entry["event"], entry["person"] and entry["person"]["id"]) for entry in found["timeline"]]


def test_a_passport_tells_when_a_message_was_accepted_committed_delivered_and_read(
    cast: Cast, door: DoorTo, name: str, mode: str
) -> None:
    room = cast.room(name, cast.ben, cast.cyd)
    said = door(cast.ann).say(room, "where is it?")
    assert passport(cast.ann, said["id"]) == [("accepted", None), ("committed", None)]
    door(cast.ben).received(room, said["id"])
    door(cast.ben).read(room, said["id"])
    door(cast.cyd).received(room, said["id"])
    found = cast.ben.ok("GET", f"/messages/{said['id']}/passport")["passport"]
    assert (found["messageId"], found["conversationId"], found["seq"], found["hasMore"]) == (said["id"], room, 1, False)
    accepted, committed, *rest = found["timeline"]
    assert (accepted["at"], accepted["path"]) == (said["createdAt"], mode)
    assert committed["at"] >= accepted["at"]
    assert committed["seq"] == 1
    assert [(e["event"], e["person"]["displayName"]) for e in rest] == [
        ("delivered", cast.ben.username), ("read", cast.ben.username), ("delivered", cast.cyd.username),
    ]  # fmt: skip
    assert [e["at"] for e in rest] == sorted(e["at"] for e in rest)


def test_a_digest_that_covers_a_message_is_in_its_passport(cast: Cast, name: str, inside: Inside) -> None:
    room = cast.room(name, cast.ben, cast.cyd)
    said = [RestDoor(cast.ann).say(room, f"line {n}") for n in range(2)]
    sent = (
        "INSERT INTO letters (id, profile_id, kind, subject, state, created_at, due_at, ended_at) VALUES"
        " (gen_random_uuid(), %s, 'digest', jsonb_build_object('ranges', jsonb_build_object(%s, jsonb_build_array(0, 1))),"
        " 'sent', now(), now(), now())"
    )
    inside.rows(sent, cast.ben.id, room)
    assert passport(cast.ann, said[0]["id"])[-1] == passport(cast.ben, said[0]["id"])[-1] == ("mailed", cast.ben.id)
    assert passport(cast.cyd, said[0]["id"])[-1] == ("committed", None), "who is mailed is not everybody's to know"
    assert passport(cast.ann, said[1]["id"])[-1] == ("committed", None), "it was said after the letter"


def test_why_mail_failed_is_told_to_the_sender_and_the_recipient_only(cast: Cast, name: str) -> None:
    room = cast.room(name, cast.ben, cast.cyd)
    said = RestDoor(cast.ann).say(room, "by mail, perhaps")
    with wired(cast.stack.environ):
        failures.failed(
            recipient_id=UUID(cast.ben.id), message_ids=[UUID(said["id"])], path="mail", reason="No such mailbox.",
            now=clock.now(),
        )  # fmt: skip
    for person in (cast.ann, cast.ben):
        last = person.ok("GET", f"/messages/{said['id']}/passport")["passport"]["timeline"][-1]
        assert (last["event"], last["path"], last["reason"]) == ("failed", "mail", "No such mailbox.")
        assert last["person"]["id"] == cast.ben.id
    assert [what for what, _ in passport(cast.cyd, said["id"])] == ["accepted", "committed"]
    with pytest.raises(Refused, match="not_found"):
        RestDoor(cast.dan).ask("GET", f"/messages/{said['id']}/passport")
