"""I5: no event carries a ``seq`` that is not committed."""

from __future__ import annotations

from tests.invariants.conftest import Mortal
from tests.support.clients import Event
from tests.support.crowd import Sender
from tests.support.stack import until


def test_i5_whoever_hears_a_position_finds_it_in_the_database_at_that_moment(mortal: Mortal, name: str) -> None:
    cast, stack = mortal.cast, mortal.stack
    room = cast.room(name, cast.ben, cast.cyd)
    device = cast.cyd.socket(stack.urls[1])
    senders = [Sender(p, stack.urls[:1], room, [f"{p.username} {n}" for n in range(40)]) for p in (cast.ann, cast.ben)]
    heard: list[Event] = []
    read = 0

    def check() -> int:
        nonlocal read
        for event, data in device.events[read:]:
            read += 1
            if event == "message" and data["conversationId"] == room:
                assert data["persisted"] == (data["seq"] is not None) == (data["changedSeq"] is not None)
                if data["persisted"]:
                    found = mortal.inside.rows("SELECT seq FROM messages WHERE id = %s", data["id"])
                    assert found == [(data["seq"],)], f"{data['id']} was heard with {data['seq']}, kept is {found}"
                    heard.append(data)
        return len({m["id"] for m in heard})

    for sender in senders:
        sender.start()
    until(lambda: check() >= 10, within_s=30, what="ten heard")
    mortal.kill_worker()
    until(lambda: not any(s.is_alive() for s in senders) and check() >= 70, within_s=60, what="nearly all heard")
    acked = [m for s in senders for m in s.acked]
    assert [s.failure for s in senders] == [None, None]
    assert len(acked) == 80
    assert all(m["persisted"] == (m["seq"] is not None) for m in acked)
    device.close()
