"""I6: every member gets every change since joining: at least once on the wire, once on screen, in order; within 12 s of a
dropped emit, within 5 s of reconnecting.
"""

from __future__ import annotations

import random
import time

from tests.invariants.conftest import Mortal
from tests.support.crowd import Follower, stir
from tests.support.doors import RestDoor
from tests.support.view import View


def test_i6_a_member_misses_nothing_when_emits_are_dropped(mortal: Mortal, name: str, chance: random.Random) -> None:
    cast = mortal.cast
    room = cast.room(name, cast.ben)
    watcher = Follower(cast.ben, room, mortal.stack.urls[1])
    stir(RestDoor(cast.ann), room, chance, 5)
    for _ in range(3):
        mortal.inside.cache.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # whoever listens hears nothing
        stir(RestDoor(cast.ann), room, chance, 3)
    watcher.until_at(mortal.inside.head(room), within_s=12)
    mortal.inside.fill(room, cast.ann.id, 1)  # the very last one: nothing after it shows the gap
    watcher.until_at(mortal.inside.head(room), within_s=12)
    fresh = View.fresh(cast.ben, room)
    assert watcher.view.messages == fresh.messages
    assert watcher.view.shown == fresh.shown


def test_i6_who_comes_back_has_everything_within_five_seconds(mortal: Mortal, name: str, chance: random.Random) -> None:
    cast, stack = mortal.cast, mortal.stack
    room = cast.room(name, cast.ben)
    watcher = Follower(cast.ben, room, stack.urls[1])
    stir(RestDoor(cast.ann), room, chance, 4)
    watcher.until_at(mortal.inside.head(room), within_s=15)
    held = watcher.view.position
    stack.webs[1].kill()
    mortal.kill_worker()
    stir(RestDoor(cast.ann), room, chance, 10)
    head = mortal.inside.head(room)
    assert head > held
    mortal.revive()
    back_at = time.monotonic()
    watcher.connect()
    watcher.until_at(head, within_s=10)
    assert time.monotonic() - back_at < 5
    assert watcher.view.messages == View.fresh(cast.ben, room).messages
