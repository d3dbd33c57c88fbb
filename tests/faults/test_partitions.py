"""One process is cut off from a server that the others reach, and everybody still hears everything once and in order."""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.faults.conftest import BEHIND, OTHER, Ground, Writer
from tests.support.clients import Event
from tests.support.crowd import Follower
from tests.support.proxy import Proxy
from tests.support.stack import until

FAULTS = {"dead": Proxy.cut, "hung": Proxy.silence}


@contextmanager
def stopped(process: object) -> Iterator[None]:
    """Have a process stand still, alive and silent."""
    process.signal(signal.SIGSTOP)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        process.signal(signal.SIGCONT)  # type: ignore[attr-defined]


def reaches(ground: Ground, message: Event, *, within_s: float) -> None:
    """Wait until the listener at the other web process has a message's final."""
    shown = ground.listener.view.messages
    until(
        lambda: ground.listener.follow() and shown.get(message["id"], {}).get("persisted"),
        within_s=within_s,
        what="the final at the listener's",
    )


@pytest.mark.parametrize("part", ["log", "cache", "database"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_web_process_cut_off_alone_still_takes_sends_and_everybody_has_them(
    ground: Ground, part: str, fault: str
) -> None:
    ground.strike(FAULTS[fault], part, at=("web0",))
    taken, took_s = ground.behind.send_until_taken(within_s=8)
    assert took_s < 3, "design: within a second"
    reaches(ground, taken.message, within_s=5)
    assert ground.read_once(ground.stack.urls[OTHER]) == 200
    assert (ground.read_once(ground.stack.urls[BEHIND]) == 200) == (part != "database")
    ground.heal()
    ground.until_whole()
    ground.check()


def test_a_database_that_was_away_for_a_moment_costs_no_error_but_to_who_was_asking(ground: Ground) -> None:
    """As when it is started again: the connections that are kept have ended, which each process sees before it uses one.

    Where one of a process's own loops was just asking, the process takes the database for away, as it should; then again.
    """
    logs = [ground.stack.folder / f"web{number}.log" for number in range(3)]
    for _ in range(10):
        for url in ground.stack.urls:
            until(lambda url=url: ground.read_once(url) == 200, what="the end of the fault before")
        lost = [log.read_text().count("the database is away") for log in logs]
        ground.strike(Proxy.reset, "database")
        sent = ground.through.try_once()
        read = [ground.read_once(url) for url in ground.stack.urls]
        if lost == [log.read_text().count("the database is away") for log in logs]:
            assert sent.ok
            assert read == [200] * 3
            ground.check()
            return
        ground.until_whole()
    pytest.fail("a process was asking each time")


@pytest.mark.parametrize("fault", FAULTS)
def test_who_is_at_a_web_process_that_hears_no_emits_still_hears_the_others(ground: Ground, fault: str) -> None:
    """Those who emit reach each other and have nobody to tell through the database."""
    ground.strike(FAULTS[fault], "cache", at=("web1",))
    time.sleep(0.5)
    for message in [ground.behind.send_until_taken(within_s=8)[0].message for _ in range(2)]:
        reaches(ground, message, within_s=5)


@pytest.mark.parametrize("part", ["log", "cache", "database"])
def test_the_worker_cut_off_alone_is_made_up_for(ground: Ground, part: str) -> None:
    ground.strike(Proxy.silence, part, at=("worker",))
    taken, _ = ground.behind.send_until_taken(within_s=3)
    reaches(ground, taken.message, within_s=8)
    ground.heal()
    ground.check()


def test_direct_writes_overtake_none_of_the_senders_own_that_wait_in_the_log(ground: Ground) -> None:
    ground.check()  # else the worker may be stopped in mid transaction, and its row lock refuses all that follows
    with stopped(ground.stack.worker):
        accepted = [ground.behind.try_once().message for _ in range(3)]
        assert [message["persisted"] for message in accepted] == [False] * 3
        ground.strike(Proxy.cut, "log", at=("web0",))
        direct = [ground.behind.try_once() for _ in range(3)]
        assert [tried.ok and tried.message["persisted"] for tried in direct] == [True] * 3
    ground.heal()
    ground.check()


def test_who_moves_to_a_process_without_the_log_is_told_to_wait_for_the_one_before(ground: Ground) -> None:
    """Sent at one process and still in the log; the next, at a process that writes straight, would overtake it."""
    ground.behind.send_until_taken(within_s=5)
    ground.check()
    with stopped(ground.stack.worker):
        ground.strike(Proxy.cut, "log", at=("web0",))
        ground.behind.url = ground.stack.urls[OTHER]
        ground.behind.device = ground.behind.person.socket(ground.behind.url)
        assert not ground.behind.send_until_taken(within_s=5)[0].message["persisted"]
        ground.behind.url = ground.stack.urls[BEHIND]
        ground.behind.device = ground.behind.person.socket(ground.behind.url)
        ground.behind.send_until_taken(within_s=10)
    ground.heal()
    ground.check()


# between clients and a web process ------------------------------------------------------------------------------------
BROKEN: dict[str, Callable[[Proxy], None]] = {"reset": Proxy.reset, "half open": Proxy.half_open, "cut": Proxy.cut}


@pytest.mark.parametrize("fault", BROKEN)
def test_who_lost_the_connection_in_mid_send_has_sent_once_and_misses_nothing(ground: Ground, fault: str) -> None:
    wire, url = ground.door, ground.door.address(ground.stack.urls[OTHER])
    writer, follower = Writer(ground.ben, url, ground.room), Follower(ground.ben, ground.room, url)
    wire.silence()
    acks: list[object] = []
    body = {"conversationId": ground.room, "content": f"in mid send, {fault}", "clientMessageId": str(uuid.uuid4())}
    writer.device.client.emit("message:send", body, callback=acks.append)
    time.sleep(0.1)
    BROKEN[fault](wire)
    wire.heal()
    missed = ground.behind.send_until_taken(within_s=5)[0].message
    writer.device = ground.ben.socket(url)
    again = writer.try_once(body)
    assert again.ok
    follower.connect()
    until(lambda: follower.follow() and missed["id"] in follower.view.messages, what="what was sent meanwhile")
    ground.check()
    stored = "SELECT 1 FROM messages WHERE client_message_id = %s"
    until(lambda: ground.inside.rows(stored, body["clientMessageId"]), what="what was sent in mid fault")
    assert len(ground.inside.rows(stored, body["clientMessageId"])) == 1


def test_a_slow_client_is_served_and_slows_nobody_else(ground: Ground) -> None:
    ground.door.slow(0.15)
    slow = Follower(ground.ben, ground.room, ground.door.address(ground.stack.urls[OTHER]))
    began = time.monotonic()
    sent = [ground.behind.send_until_taken(within_s=5)[0].message for _ in range(5)]
    reaches(ground, sent[-1], within_s=5)
    assert time.monotonic() - began < 4
    until(lambda: slow.follow() and sent[-1]["id"] in slow.view.messages, what="the last message at the slow one's")
    slow.hang_up()
