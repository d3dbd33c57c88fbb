"""I4: for one sender and device, ``seq`` order is sending order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.invariants.conftest import Mortal
from tests.support.cast import Cast
from tests.support.doors import pour
from tests.support.stack import until


def test_i4_each_devices_messages_stand_in_the_order_in_which_it_sent_them(cast: Cast, name: str) -> None:
    devices = [cast.device(cast.ann), cast.device(cast.ben), cast.device(cast.cyd)]
    room = cast.room(name, cast.ben, cast.cyd)
    texts = [[f"device {d}: {n}" for n in range(25)] for d in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda d: pour(devices[d], room, texts[d]), range(3)))
    kept = [m["content"] for m in cast.ann.until_persisted(room, 75)]
    for mine in texts:
        assert [content for content in kept if content in mine] == mine


def test_i4_the_order_outlives_a_killed_worker(mortal: Mortal, name: str) -> None:
    cast = mortal.cast
    device = cast.ann.socket(mortal.stack.urls[1])
    room = cast.room(name, cast.ben)
    texts = [f"line {n}" for n in range(60)]
    pour(device, room, texts[:20])
    mortal.kill_worker()
    pour(device, room, texts[20:40])
    assert mortal.stack.worker is not None
    mortal.stack.worker.start()
    pour(device, room, texts[40:])
    until(lambda: mortal.inside.head(room) == 60, within_s=30, what="60 committed")
    assert [m["content"] for m in cast.ben.history(room, limit=200)] == texts
    device.close()
