"""I8: nothing reaches a non-member; a removal takes effect within 1 s on every worker."""

from __future__ import annotations

import random
import time

from tests.invariants.conftest import Mortal
from tests.support.cast import listens
from tests.support.clients import Event, Socket
from tests.support.crowd import stir
from tests.support.doors import RestDoor
from tests.support.stack import until


def about(device: Socket, room: str) -> list[str]:
    """List what a device was told about a conversation."""
    return [event for event, data in list(device.events) if room in str(data)]


def heard_all(device: Socket, changes: list[Event]) -> None:
    """Make sure that a device was told of each of these changes: of a root's new reply count, by the reply at its position."""
    room, positions = changes[0]["conversationId"], {change["changedSeq"] for change in changes}

    def told() -> bool:
        heard = [*device.heard("message"), *device.heard("message:changed")]
        return positions <= {m["changedSeq"] for m in heard if m["conversationId"] == room}

    until(told, what=f"the changes {sorted(positions)}")


def test_i8_an_outsider_hears_nothing_and_a_removed_member_nothing_more(
    mortal: Mortal, name: str, chance: random.Random
) -> None:
    cast, stack = mortal.cast, mortal.stack
    room, other = cast.group(name, cast.ben, cast.cyd), cast.room(name, cast.ben, cast.cyd, cast.dan)
    outsider = [cast.dan.socket(url) for url in stack.urls]
    removed = [cast.ben.socket(url) for url in stack.urls]
    stays = [cast.cyd.socket(url) for url in stack.urls]
    for device in removed + stays:
        listens(device, room)
    first = RestDoor(cast.ann).say(room, "to members")
    for device in removed + stays:
        assert device.next("message", lambda m: m["id"] == first["id"])
    cast.ann.ok("DELETE", f"/conversations/{room}/members/{cast.ben.id}")
    removed_at = time.monotonic()
    mortal.kill_worker()  # from now on a web process drains and tells
    while time.monotonic() < removed_at + 1:
        RestDoor(cast.ann).send(room, "within the second")
    late = stir(RestDoor(cast.ann), room, chance, 8)
    fence = RestDoor(cast.ann).say(other, "fence")
    for device in stays:
        heard_all(device, late)
    for device in [*outsider, *removed]:
        device.next("message", lambda m: m["id"] == fence["id"])
    wanted = {m["id"] for m in late}
    for device in removed:
        after = device.heard("message", lambda m: m["id"] in wanted)
        after += device.heard("message:changed", lambda m: m["id"] in wanted)
        assert after == [], "someone removed still heard"
    assert [about(device, room) for device in outsider] == [[], []]
    for device in [*outsider, *removed, *stays]:
        device.close()
