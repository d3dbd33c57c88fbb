"""I1: every message with ``persisted: true`` is in the database exactly once, for good."""

from __future__ import annotations

import random

from tests.invariants.conftest import Mortal
from tests.support.crowd import Follower, Sender
from tests.support.stack import until


def test_i1_what_was_shown_as_persisted_is_there_once_whatever_was_killed(
    mortal: Mortal, name: str, chance: random.Random
) -> None:
    cast, stack = mortal.cast, mortal.stack
    room = cast.room(name, cast.ben, cast.cyd)
    watcher = Follower(cast.cyd, room, stack.urls[0])
    senders = [Sender(p, stack.urls, room, [f"{p.username} {n}" for n in range(60)]) for p in (cast.ann, cast.ben)]
    for sender in senders:
        sender.start()
    kills = sorted(chance.sample(range(5, 100), 2))
    for number, victim in zip(kills, (stack.worker, stack.webs[1]), strict=True):
        until(lambda n=number: sum(len(s.acked) for s in senders) >= n, within_s=60, what=f"{number} sends")
        assert victim is not None
        victim.kill()
    stack.webs[1].start()
    for sender in senders:
        sender.join(90)
        assert sender.failure is None
        assert len(sender.acked) == 60
    acked = [m["id"] for s in senders for m in s.acked]
    statement = "SELECT id::text, content FROM messages WHERE conversation_id = %s ORDER BY seq"
    until(lambda: len(mortal.inside.rows(statement, room)) >= 120, within_s=20, what="120 rows")
    watcher.until_at(120, within_s=20)
    kept = mortal.inside.rows(statement, room)
    assert sorted(row[0] for row in kept) == sorted(acked), "each once, and nothing else"
    shown = [m["id"] for m in watcher.view.messages.values() if m["persisted"]]
    shown += [m["id"] for m in watcher.device.messages(room)] if watcher.device else []
    assert set(shown) == {row[0] for row in kept}
    for sender in senders:
        assert [row[1] for row in kept if row[1] in sender.texts] == sender.texts
