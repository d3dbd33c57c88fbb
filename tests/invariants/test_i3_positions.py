"""I3: a conversation's positions are exactly 1..headSeq."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

from tests.invariants.conftest import Mortal
from tests.support.cast import Cast
from tests.support.crowd import Follower, stir
from tests.support.doors import RestDoor, SocketDoor
from tests.support.inside import Inside


def test_i3_whatever_people_do_at_once_leaves_no_hole_and_no_position_twice(
    cast: Cast, name: str, inside: Inside, chance: random.Random
) -> None:
    room = cast.room(name, cast.ben, cast.cyd)
    doors = [RestDoor(cast.ann), SocketDoor(cast.ben, cast.device(cast.ben)), RestDoor(cast.cyd)]
    seeds = [random.Random(chance.random()) for _ in doors]
    with ThreadPoolExecutor(len(doors)) as pool:
        answers = list(pool.map(lambda d: stir(d[0], room, d[1], 15), zip(doors, seeds, strict=True)))
    head = inside.head(room)
    taken = {m["changedSeq"] for mine in answers for m in mine}
    assert taken == set(range(1, head + 1)), "some change's position was never given, or one above the head"
    assert set(inside.positions(room)) <= taken
    seqs = [row[0] for row in inside.rows("SELECT seq FROM messages WHERE conversation_id = %s", room)]
    assert len(seqs) == len(set(seqs))


def test_i3_positions_stay_whole_when_the_worker_is_killed(mortal: Mortal, name: str, chance: random.Random) -> None:
    cast = mortal.cast
    room = cast.room(name, cast.ben)
    watcher = Follower(cast.ben, room, mortal.stack.urls[1])
    before = stir(RestDoor(cast.ann), room, chance, 5)
    mortal.kill_worker()
    after = stir(RestDoor(cast.ann), room, chance, 8)
    head = mortal.inside.head(room)
    assert {m["changedSeq"] for m in before + after} == set(range(1, head + 1))
    watcher.until_at(head, within_s=15)
