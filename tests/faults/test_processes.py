"""A worker killed, or a process stopped and continued: somebody else goes on, and who comes back does no harm.

Web processes are killed in `tests/invariants`.
"""

from __future__ import annotations

import signal
import time

import pytest

from tests.faults.conftest import OTHER, Ground
from tests.faults.test_partitions import reaches, stopped
from tests.support.cast import listens
from tests.support.clients import send_body
from tests.support.stack import until


@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_without_a_worker_a_web_process_drains_two_seconds_after_its_last_sign_of_life(
    ground: Ground, end: str, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = ground.stack.worker
    until(lambda: ground.inside.log.exists("drainer:alive"), within_s=30, what="the worker to drain")
    worker.kill() if end == "killed" else worker.signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        first = ground.behind.send_until_taken(within_s=3)[0].message
        reaches(ground, first, within_s=8)
        first_s = time.monotonic() - began
        # Whoever stood in until this worker was there may have taken the first one yet, before its last sign of life was over.
        until(lambda: not ground.inside.log.exists("drainer:alive"), what="the last sign of life to be over")
        began = time.monotonic()
        second = ground.behind.send_until_taken(within_s=3)[0].message
        reaches(ground, second, within_s=8)
        second_s = time.monotonic() - began
    finally:
        worker.start() if end == "killed" else worker.signal(signal.SIGCONT)
    with capsys.disabled():
        print(f"\n  worker {end}: the first final after {first_s:.2f} s, the next after {second_s:.2f} s")
    assert first_s < 5, "2 s after the last sign of life, and as much again for a slow machine"
    assert second_s < 2
    ground.check()


def test_a_drainer_stopped_in_mid_transaction_loses_its_turn_and_does_no_harm_when_it_goes_on(ground: Ground) -> None:
    ground.behind.send_until_taken(within_s=5)
    waits = (
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        " AND query LIKE '%%parley_open_batch%%'"
    )
    with ground.inside.held(ground.room):
        accepted = ground.behind.send_until_taken(within_s=5)[0].message
        until(lambda: ground.inside.rows(waits), what="the drainer waiting for the row")
        ground.stack.worker.signal(signal.SIGSTOP)
    try:
        reaches(ground, accepted, within_s=10)
        later = [ground.behind.send_until_taken(within_s=5)[0].message for _ in range(3)]
    finally:
        ground.stack.worker.signal(signal.SIGCONT)
    reaches(ground, later[-1], within_s=5)
    reaches(ground, ground.behind.send_until_taken(within_s=5)[0].message, within_s=5)
    ground.check()


def test_a_web_process_that_stood_still_tells_nothing_to_who_was_removed_meanwhile(ground: Ground) -> None:
    room = ground.ann.room(f"{ground.ann.username}-still", ground.ben, visibility="private")
    his = ground.ben.socket(ground.stack.urls[OTHER])
    listens(his, room)
    with stopped(ground.stack.webs[OTHER]):
        ground.ann.ok("DELETE", f"/conversations/{room}/members/{ground.ben.id}")
        sent = ground.ann.ok("POST", "/messages/send", send_body(room, "not for him"))["message"]
        ground.ann.until_persisted(room, 1)
        time.sleep(1.2)
    taken = ground.behind.send_until_taken(within_s=5)[0].message
    reaches(ground, taken, within_s=10)
    assert his.heard("message", lambda m: m["id"] == sent["id"]) == []
    his.close()
    ground.check()
