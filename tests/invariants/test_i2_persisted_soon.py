"""I2: every accepted message is persisted within 5 s after the last fault heals."""

from __future__ import annotations

import time

from tests.invariants.conftest import Mortal
from tests.support.clients import Rest
from tests.support.doors import RestDoor
from tests.support.stack import until


def waiting(mortal: Mortal) -> int:
    return int(mortal.inside.log.xlen("messages:log"))


def test_i2_a_killed_worker_costs_a_moment_and_no_message(mortal: Mortal, name: str) -> None:
    cast = mortal.cast
    room = cast.room(name, cast.ben)
    mortal.kill_worker()
    acked = [RestDoor((cast.ann, cast.ben)[n % 2]).send(room, f"line {n}") for n in range(20)]
    killed_at = time.monotonic()
    kept = "SELECT count(*) FROM messages WHERE conversation_id = %s"
    until(lambda: mortal.inside.rows(kept, room)[0][0] == len(acked), within_s=15, what="the take-over")
    assert time.monotonic() - killed_at < 5 + 2, "a web process drains when nobody has for 2 s"
    assert [m["id"] for m in cast.ben.history(room)] == [m["id"] for m in acked]


def test_i2_what_was_accepted_before_everything_was_killed_is_persisted_soon_after(mortal: Mortal, name: str) -> None:
    cast, stack = mortal.cast, mortal.stack
    room = cast.room(name, cast.ben)
    first = RestDoor(cast.ann).say(room, "before the fault")
    with mortal.inside.held(room):
        acked = [RestDoor(cast.ann).send(room, f"line {n}") for n in range(10)]
        mortal.kill_worker()
        for web in stack.webs:
            web.kill()
        assert waiting(mortal) >= 10
        assert mortal.inside.head(room) == 1
    mortal.revive()
    healed_at = time.monotonic()
    until(lambda: mortal.inside.head(room) == 11, within_s=20, what="the commit of what was accepted")
    assert time.monotonic() - healed_at < 5
    history = Rest(stack.url, cast.ann.token).ok("GET", f"/conversations/{room}/messages")["items"]
    assert [m["id"] for m in history] == [first["id"], *[m["id"] for m in acked]]
    assert all(m["persisted"] for m in history)
