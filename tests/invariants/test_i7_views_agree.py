"""I7: at rest, every member's view equals the database; for each kind of event, old state + event = fresh load."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

from tests.invariants.conftest import Mortal
from tests.support.cast import Cast
from tests.support.clients import Person
from tests.support.crowd import Follower, stir
from tests.support.doors import RestDoor, SocketDoor
from tests.support.inside import Inside
from tests.support.stack import until
from tests.support.view import View


def test_i7_for_each_kind_of_event_the_old_state_and_the_event_give_the_fresh_load(
    cast: Cast, name: str, inside: Inside
) -> None:
    device = cast.device(cast.ben)
    room = cast.room(name, cast.ben)
    hers, his = RestDoor(cast.ann), RestDoor(cast.ben)
    root = hers.say(room, "root", metadata={"a": [1, 2.5, None, "ü"]})
    reply = his.say(room, f"reply to @{cast.ann.username}", replyToId=root["id"])
    for kind, change in {
        "create": lambda: hers.say(room, "new"),
        "reply": lambda: hers.say(room, "another reply", replyToId=root["id"]),
        "edit": lambda: hers.edit(root["id"], f"edited for @{cast.ben.username}"),
        "edit of a reply": lambda: his.edit(reply["id"], "edited reply"),
        "react": lambda: his.react(root["id"], "👍"),
        "react again": lambda: hers.react(root["id"], "👍"),
        "unreact": lambda: his.unreact(root["id"], "👍"),
        "delete a reply": lambda: his.delete(reply["id"]),
        "delete the root": lambda: hers.delete(root["id"]),
    }.items():
        old = View.fresh(cast.ben, room)
        change()
        head = inside.head(room)
        assert head == old.position + 1, kind
        until(lambda h=head: View(room).hear(device).position >= h, what=f"the event of {kind}")
        [told] = {
            data["changedSeq"]: data
            for event, data in device.events
            if event.startswith("message") and data["conversationId"] == room and data["changedSeq"] == head
        }.values()
        old.apply(told)
        assert old.messages == View.fresh(cast.ben, room).messages, kind


def test_i7_after_everybody_did_everything_at_once_all_views_are_the_same(
    cast: Cast, name: str, inside: Inside, chance: random.Random
) -> None:
    people = [cast.ann, cast.ben, cast.cyd]
    devices = [cast.device(p) for p in people]
    room = cast.room(name, cast.ben, cast.cyd)
    doors = [SocketDoor(cast.ann, devices[0]), RestDoor(cast.ben), SocketDoor(cast.cyd, devices[2])]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda n: stir(doors[n], room, random.Random(n + chance.random()), 12), range(3)))
    head = inside.head(room)
    fresh = [View.fresh(p, room) for p in people]
    assert fresh[0].position == head
    for device, view in zip(devices, fresh, strict=True):
        until(lambda d=device: View(room).hear(d).position >= head, what=f"position {head}")
        assert View(room).hear(device).messages == view.messages == fresh[0].messages
    by_sync = View(room)
    for event in RestDoor(cast.ben).catch_up(room, after=0)["messages"]:
        by_sync.apply(event)
    assert by_sync.messages == fresh[0].messages


def test_i7_views_agree_after_processes_were_killed(mortal: Mortal, name: str, chance: random.Random) -> None:
    cast, stack = mortal.cast, mortal.stack
    room = cast.room(name, cast.ben, cast.cyd)
    followers = [Follower(cast.ben, room, stack.urls[0]), Follower(cast.cyd, room, stack.urls[1])]
    at_first: Person = cast.ann  # at the first web process, which stays
    stir(RestDoor(at_first), room, chance, 5)
    mortal.kill_worker()
    stack.webs[1].kill()
    stir(RestDoor(at_first), room, chance, 8)
    mortal.revive()
    followers[1].connect()
    stir(RestDoor(at_first), room, chance, 4)
    head = mortal.inside.head(room)
    fresh = View.fresh(at_first, room)
    assert fresh.position == head
    for follower in followers:
        follower.until_at(head, within_s=20)
        assert follower.view.messages == fresh.messages
