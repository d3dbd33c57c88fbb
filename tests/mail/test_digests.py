"""Digests: who is mailed of what, once, and who is not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain import (
    changes,
    conversations,
    customers,
    digests,
    mailing,
    memberships,
    messages,
    notifications,
    presence,
    reading,
    sessions,
    trust,
)
from app.kernel import clock, requests as wire
from app.kernel.actor import SYSTEM, Actor
from app.models import transaction
from tests.mail.conftest import World
from tests.support.postoffice import html_of, text_of


def settle(actor: Actor, conversation_id: UUID, **chosen: Any) -> None:
    conversations.configure(actor, conversation_id=conversation_id, request=wire.parse(wire.Settings, chosen))


def wish(world: World, actor: Actor, **chosen: Any) -> None:
    request = wire.parse(wire.NotificationSettings, chosen)
    notifications.configure(actor, request=request, now=clock.now())


def mailed(world: World) -> int:
    """Plan and send; gives how many letters went out."""
    digests.plan(now=world.now)
    return world.send()


@pytest.fixture
def pair(world: World) -> tuple[Actor, Actor, UUID]:
    """Ann and Ben in a group; both have been away for sixteen minutes."""
    ann, ben = world.person("Ann"), world.person("Ben")
    group = world.group("Team", ann, ben)
    world.later(minutes=16)
    return ann, ben, group


def test_who_was_away_is_mailed_what_they_missed(world: World, pair: tuple[Actor, Actor, UUID]) -> None:
    ann, ben, group = pair
    world.say(ann, group, "Lunch at *noon*?\n<b>bring</b> a chair")
    assert mailed(world) == 1
    (letter,) = world.mail_to(ben)
    assert world.mail_to(ann) == [], "one's own messages are no news"
    assert letter["Subject"] == "Ann wrote in Team"
    assert "> Lunch at *noon*?\n> <b>bring</b> a chair" in text_of(letter)
    assert "Lunch at *noon*?<br>&lt;b&gt;bring&lt;/b&gt; a chair" in html_of(letter)
    assert f"https://chat.example.org/chat/{group}" in text_of(letter)
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["Auto-Submitted"] == "auto-generated"


def test_nothing_is_mailed_twice(world: World, pair: tuple[Actor, Actor, UUID]) -> None:
    ann, ben, group = pair
    world.say(ann, group, "first")
    assert [mailed(world) for _ in range(3)] == [1, 0, 0]
    world.say(ann, group, "second")
    assert mailed(world) == 0, "not before another quarter of an hour is over"
    world.later(minutes=16)
    assert [mailed(world) for _ in range(2)] == [1, 0]
    first, second = map(text_of, world.mail_to(ben))
    assert "first" in first
    assert "> second" in second
    assert "> first" not in second
    world.say(ann, group, "third")
    world.later(minutes=16)
    assert mailed(world) == 0, "who does not come back is mailed less and less often"
    world.later(minutes=15)
    assert mailed(world) == 1


def test_two_workers_at_once_mail_once(world: World, pair: tuple[Actor, Actor, UUID]) -> None:
    ann, ben, group = pair
    others = [world.group(f"Group {number}", ann, ben) for number in range(3)]
    for conversation_id in (group, *others):
        world.say(ann, conversation_id, "hello")

    def both(step: Callable[[], object]) -> None:
        running = [threading.Thread(target=step) for _ in range(4)]
        for each in running:
            each.start()
        for each in running:
            each.join()

    both(lambda: digests.plan(now=world.now))
    assert world.letters(ben) == ["waiting"]
    both(lambda: mailing._send_due(world.now, 1e12))  # past the door that lets one thread of a process in
    assert len(world.mail_to(ben)) == world.office.tries == 1
    assert world.mail_to(ben)[0]["Subject"] == "4 new messages in 4 conversations"


def test_nobody_who_is_here_is_mailed(world: World, pair: tuple[Actor, Actor, UUID]) -> None:
    ann, ben, group = pair
    world.say(ann, group, "are you there?")
    presence.connected(ben, device=f"d-{ben.id}", rooms=[], now=clock.now())
    assert mailed(world) == 0
    presence.declare(ben, device=f"d-{ben.id}", status="offline", metadata=None, now=clock.now())
    assert mailed(world) == 0, "who says to be away and is connected sees it all the same"
    presence._note([presence.Noting(ben, f"d-{ben.id}", "gone", clock.now())])
    world.now = clock.now() + timedelta(minutes=14)
    assert mailed(world) == 0, "the delay begins when they leave"
    world.later(minutes=2)
    assert mailed(world) == 1


def test_who_comes_between_planning_and_sending_is_not_mailed(world: World, pair: tuple[Actor, Actor, UUID]) -> None:
    ann, ben, group = pair
    world.say(ann, group, "are you there?")
    assert digests.plan(now=world.now) == 1
    presence.connected(ben, device="phone", rooms=[], now=clock.now())
    assert (world.send(), world.letters(ben)) == (0, ["dropped"])
    presence._note([presence.Noting(ben, "phone", "gone", clock.now())])


# what is in it --------------------------------------------------------------------------------------------------------
def test_what_was_read_deleted_or_left_meanwhile_is_not_mailed(world: World, pair: tuple[Actor, Actor, UUID]) -> None:
    ann, ben, _ = pair
    told = {title: world.group(title, ann, ben) for title in ("Read", "Deleted", "Left", "Muted", "Edited")}
    said = {title: world.say(ann, conversation_id, f"in {title}") for title, conversation_id in told.items()}
    assert digests.plan(now=world.now) == 1
    reading.mark_read(ben, message_ids=[said["Read"]], now=clock.now())
    changes.delete(ann, message_id=said["Deleted"], now=clock.now())
    changes.edit(ann, message_id=said["Edited"], content="in new words", now=clock.now())
    memberships.leave(ben, conversation_id=told["Left"], now=clock.now())
    settle(ben, told["Muted"], muted=True)
    assert world.send() == 1
    (letter,) = world.mail_to(ben)
    assert "in new words" in text_of(letter)
    for gone in ("Read", "Deleted", "Left", "Muted"):
        assert f"in {gone}" not in text_of(letter) + html_of(letter)


def test_where_nothing_is_left_to_say_nothing_is_sent(world: World, pair: tuple[Actor, Actor, UUID]) -> None:
    ann, ben, group = pair
    said = world.say(ann, group, "oops")
    assert digests.plan(now=world.now) == 1
    changes.delete(ann, message_id=said, now=clock.now())
    assert (world.send(), world.letters(ben), world.office.tries) == (0, ["dropped"], 0)


def test_history_from_before_joining_is_not_mailed(world: World, pair: tuple[Actor, Actor, UUID]) -> None:
    ann, _, group = pair
    cyd = world.person("Cyd")
    world.say(ann, group, "about Cyd")
    memberships.add(ann, conversation_id=group, username=str(cyd.username), role=None, now=clock.now())
    world.say(ann, group, "hello Cyd")
    assert mailed(world) == 2
    assert "about Cyd" not in text_of(world.mail_to(cyd)[0])


@pytest.mark.parametrize(
    ("person", "conversation", "arrive"),
    [
        ({}, {}, ["plain", "named"]),
        ({"email": "mentions"}, {}, ["named"]),
        ({}, {"notifications": "mentions"}, ["named"]),
        ({"email": "off"}, {}, []),
        ({}, {"notifications": "none"}, []),
        ({}, {"muted": True}, []),
        ({"email": "mentions"}, {"notifications": "all"}, ["named"]),
        ({"delayMinutes": 60}, {}, []),
    ],
)
def test_wishes_are_kept(
    world: World,
    pair: tuple[Actor, Actor, UUID],
    person: dict[str, Any],
    conversation: dict[str, Any],
    arrive: list[str],
) -> None:
    ann, ben, group = pair
    wish(world, ben, **person)
    settle(ben, group, **conversation)
    world.say(ann, group, "a plain message")
    world.say(ann, group, f"a message that has @{ben.username} named")
    assert mailed(world) == bool(arrive)
    words = "".join(map(text_of, world.mail_to(ben)))
    assert [word for word in ("plain", "named") if f" {word}" in words.replace("mentioned", "")] == arrive


def test_a_long_absence_is_told_in_short(world: World, pair: tuple[Actor, Actor, UUID]) -> None:
    ann, ben, group = pair
    for number in range(12):
        world.say(ann, group, f"number {number}")
    for number in range(9):
        world.say(ann, world.group(f"G{number}", ann, ben), "x")
    assert mailed(world) == 1
    words = text_of(world.mail_to(ben)[0])
    assert "and 7 more" in words
    assert "and 2 more conversations" in words
    assert world.mail_to(ben)[0]["Subject"] == "21 new messages in 10 conversations"


def test_a_name_is_no_header_and_no_markup(world: World) -> None:
    evil = 'A\u202eB" <x@evil.example>,\u2028Bcc: <i>y</i>'
    ann, ben = world.person(evil), world.person("Zoë 王小明 🦊")
    direct, _ = conversations.direct_with(ann, username=str(ben.username), now=clock.now())
    world.later(minutes=16)
    world.say(ann, direct, "hi\r\n.\r\nBcc: z@evil.example")
    assert mailed(world) == 1
    (letter,) = world.mail_to(ben)
    assert world.office.envelopes[-1] == ("parley@chat.example.org", [f"{ben.username}@example.org"])
    assert letter["To"].addresses[0].display_name == "Zoë 王小明 🦊"
    assert [address.addr_spec for address in letter["To"].addresses] == [f"{ben.username}@example.org"]
    assert letter["Bcc"] is None
    assert letter["Subject"] == 'AB" <x@evil.example>, Bcc: <i>y</i> wrote to you'
    assert "<i>" not in html_of(letter)
    assert "> Bcc: z@evil.example" in text_of(letter)


# trouble --------------------------------------------------------------------------------------------------------------
def test_a_temporary_failure_is_tried_again_later(world: World, pair: tuple[Actor, Actor, UUID]) -> None:
    ann, ben, group = pair
    world.say(ann, group, "hello")
    world.office.answers = ["451 greylisted", "452 full"]
    assert (mailed(world), world.letters(ben)) == (0, ["waiting"])
    assert mailed(world) == 0
    assert world.office.tries == 1
    world.later(seconds=61)
    assert mailed(world) == 0
    world.later(seconds=61)
    assert (mailed(world), world.office.tries) == (0, 2), "the pause has doubled"
    world.later(seconds=61)
    assert (mailed(world), world.letters(ben)) == (1, ["sent"])


def test_a_permanent_failure_is_kept_and_its_senders_told(world: World, pair: tuple[Actor, Actor, UUID]) -> None:
    ann, ben, group = pair
    said = world.say(ann, group, "hello")
    world.office.to_recipients = [f"550 5.1.1 <{ben.username}@example.org> no such mailbox"]
    assert (mailed(world), world.letters(ben)) == (0, ["failed"])
    (kept,) = world.rows("SELECT * FROM delivery_failures WHERE message_id = :id", id=said)
    assert (kept.recipient_id, kept.sender_id, kept.path) == (ben.id, ann.id, "mail")
    assert "example.org" not in kept.reason, "an address is nobody else's to know"
    (letter,) = world.rows("SELECT reason FROM letters WHERE profile_id = :id", id=ben.id)
    assert letter.reason.startswith("550 5.1.1")
    world.later(minutes=20)
    assert mailed(world) == 0


def test_what_has_failed_for_a_day_is_given_up(world: World, pair: tuple[Actor, Actor, UUID]) -> None:
    ann, ben, group = pair
    said = world.say(ann, group, "hello")
    world.office.answers = ["451 no"] * 99
    for _ in range(3):
        assert mailed(world) == 0
        world.later(hours=13)
    assert world.letters(ben) == ["failed"]
    assert len(world.rows("SELECT 1 FROM delivery_failures WHERE message_id = :id", id=said)) == 1


def test_a_letter_that_may_have_been_taken_is_not_sent_again(world: World, pair: tuple[Actor, Actor, UUID]) -> None:
    ann, ben, group = pair
    world.say(ann, group, "hello")
    world.office.hang_up = True
    assert (mailed(world), world.letters(ben)) == (0, ["unsure"])
    world.later(hours=2)
    assert mailed(world) == 0
    assert len(world.mail_to(ben)) == 1, "it had been taken indeed"


def test_a_worker_that_died_before_handing_over_loses_nothing(world: World, pair: tuple[Actor, Actor, UUID]) -> None:
    ann, _, group = pair
    world.say(ann, group, "hello")
    assert digests.plan(now=world.now) == 1  # and there it died
    world.later(minutes=1)
    assert mailed(world) == 1


def test_a_worker_that_died_while_handing_over_mails_nothing_twice(
    world: World, pair: tuple[Actor, Actor, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben, group = pair
    world.say(ann, group, "hello")
    monkeypatch.setattr(mailing, "_end", lambda *_: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        mailed(world)
    monkeypatch.undo()
    assert (world.letters(ben), len(world.mail_to(ben))) == (["sending"], 1)
    world.later(minutes=11)
    assert (mailed(world), world.letters(ben), len(world.mail_to(ben))) == (0, ["unsure"], 1)


# customers ------------------------------------------------------------------------------------------------------------
def test_a_customer_is_mailed_the_way_into_their_portal(world: World) -> None:
    staff = world.person("Sam")
    world.rows("UPDATE users SET role = 'staff' WHERE profile_id = :id", id=staff.id)
    staff = Actor(id=staff.id, kind="user", role="staff", username=staff.username, display_name="Sam")
    body = {"displayName": "Cleo", "email": "cleo@shop.example"}
    made = customers.create(staff, request=wire.parse(wire.CreateCustomer, body), now=clock.now())
    issued = customers.issue_token(staff, customer_id=UUID(made["id"]), expires_in_s=None, now=clock.now())
    cleo = sessions.actor_of_token(issued["token"])
    opened = messages.send(cleo, request=wire.parse(wire.SendMessage, {"content": "Where is it?"}), now=clock.now())
    support = UUID(opened.message["conversationId"])
    world.later(minutes=16)
    assert mailed(world) == 1
    assert world.mail_to(staff)[0]["Subject"] == "Cleo wrote in Cleo's conversation"
    world.say(staff, support, "On its way")
    assert mailed(world) == 1
    (letter,) = world.office.to("cleo@shop.example")
    assert letter["Subject"] == "Sam wrote in your conversation with us"
    link = text_of(letter).partition("Read and answer: ")[2].split()[0]
    address, _, key = link.partition("#")
    assert address == "https://chat.example.org/portal"
    assert sessions.actor_of_token(key).id == cleo.id
    assert issued["token"] not in text_of(letter)
    customers.revoke_token(staff, token_id=UUID(issued["portalToken"]["id"]), now=clock.now())
    trust.forget()
    for ended in (key, issued["token"]):
        with pytest.raises(Exception, match="credential"):
            sessions.actor_of_token(ended)
    world.say(staff, support, "Are you there?")
    world.later(minutes=16)
    assert mailed(world) == 1
    assert "portal#" not in text_of(world.office.to("cleo@shop.example")[1])


# unsubscribing --------------------------------------------------------------------------------------------------------
def test_one_click_ends_the_mails_without_signing_in(world: World, pair: tuple[Actor, Actor, UUID]) -> None:
    ann, ben, group = pair
    world.say(ann, group, "hello")
    assert mailed(world) == 1
    link = world.mail_to(ben)[0]["List-Unsubscribe"]
    path = link.removeprefix("<https://chat.example.org").removesuffix(">")
    stranger = world.app.test_client()
    looked = stranger.get(path)
    assert (looked.status_code, looked.headers["Referrer-Policy"]) == (200, "no-referrer")
    assert wishes(ben) == "all", "looking ends nothing"
    elsewhere = {"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"}
    for _ in range(2):
        clicked = stranger.post(path, data={"List-Unsubscribe": "One-Click"}, headers=elsewhere)
        assert clicked.status_code == 200
    assert (wishes(ben), wishes(ann)) == ("off", "all")
    assert "Set-Cookie" not in clicked.headers
    assert stranger.post(path[:-1] + ("A" if path[-1] != "A" else "B")).status_code == 404
    assert stranger.post(path.replace(str(ben.id), str(ann.id))).status_code == 404
    world.say(ann, group, "hello again")
    world.later(hours=1)
    assert mailed(world) == 0


def wishes(actor: Actor) -> str:
    with transaction(SYSTEM) as tx:
        return str(notifications.read(tx, actor.id)["email"])


def test_wishes_are_read_and_chosen_over_rest(world: World) -> None:
    ann = world.person()
    client = world.app.test_client()
    signed_in = client.post("/api/auth/login", json={"identifier": ann.username, "password": "correct horse battery 9"})
    bearer = {"Authorization": f"Bearer {signed_in.json['data']['accessToken']}"}
    path = "/api/me/notifications"
    assert client.get(path, headers=bearer).json["data"] == {"notifications": {"email": "all", "delayMinutes": 15}}
    assert client.put(path, json={"delayMinutes": 5}, headers=bearer).status_code == 200
    chosen = client.put(path, json={"email": "mentions"}, headers=bearer).json["data"]
    assert chosen == {"notifications": {"email": "mentions", "delayMinutes": 5}}
    for wrong, named in (({"email": "never"}, "email"), ({"delayMinutes": 0}, "delayMinutes"), ({"sms": True}, "sms")):
        refused = client.put(path, json=wrong, headers=bearer)
        assert (refused.status_code, list(refused.json["error"]["fields"])) == (422, [named])
