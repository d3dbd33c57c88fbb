"""Everybody comes back at once: what that costs the database, and where the catching up is served from."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from tests.faults.conftest import OTHER, Ground
from tests.support.clients import Person, Socket, send_body
from tests.support.stack import until

CROWD = 12


WHO_COMES = ("SELECT s.id AS session_id", "SELECT c.id, c.kind, c.head_seq")  # with the session, or where it was known


def questions(ground: Ground) -> list[str]:
    """What the process asked the database about people and conversations since the list was made, the healer's part apart."""
    asked = ground.wires["web1"]["database"].asked or []
    texts = [data[5:].decode(errors="replace") for data in asked if data[:1] == b"Q"]
    return [one for one in texts if " FROM " in one and "updated_at" not in one and "pg_" not in one]


def undisturbed(ground: Ground, measure: Callable[[], list[Socket]]) -> tuple[list[Socket], list[str]]:
    """Do something and give what was asked meanwhile; do it again where the process lost its cache while at it.

    The cache has 300 ms to answer, which are short on a busy machine, and then the database is asked, as it should be.
    """
    log = ground.stack.folder / "web1.log"
    for _ in range(10):
        lost = log.read_text().count("is away")
        ground.wires["web1"]["database"].asked.clear()
        devices, asked = measure(), questions(ground)
        if log.read_text().count("is away") == lost:
            return devices, asked
        ground.until_whole()
        ground.check()
    pytest.fail("the process loses its cache again and again")


def all_at_once(url: str, tokens: list[str]) -> list[Socket]:
    """Connect at the same moment, each a device."""
    devices: list[Socket] = []
    threads = [threading.Thread(target=lambda t=token: devices.append(Socket(url, {"token": t}))) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(devices) == len(tokens)
    return devices


@pytest.fixture
def counted(ground: Ground) -> Ground:
    ground.wires["web1"]["database"].asked = []
    yield ground
    ground.wires["web1"]["database"].asked = None


def test_who_comes_back_costs_the_database_one_question(counted: Ground) -> None:
    ground, url = counted, counted.stack.urls[OTHER]
    for _ in range(4):
        ground.behind.send_until_taken(within_s=10)
    ground.check()
    tokens = [ground.ann.token, ground.eve.token, ground.ben.token] * (CROWD // 3)
    devices, asked = undisturbed(ground, lambda: all_at_once(url, tokens))
    assert asked, "nothing was counted"
    assert len(asked) <= CROWD, asked
    assert [one for one in asked if not any(known in one for known in WHO_COMES)] == []
    one_each = {device.ready["actor"]["id"]: device for device in devices}
    for device in one_each.values():  # from here on the cache knows what each of them has received
        device.ok("sync", {"conversationId": ground.room, "after": 0, "limit": 1})

    def all_catch_up() -> list[Socket]:
        head = ground.inside.head(ground.room)
        for device in devices:
            assert device.ok("sync", {"conversationId": ground.room, "after": head})["status"] == "caught_up"
            assert len(device.ok("sync", {"conversationId": ground.room, "after": head - 2})["messages"]) == 2
        return devices

    _, asked = undisturbed(ground, all_catch_up)
    assert asked == [], "catching up after a short absence is the cache's business"
    for device in devices:
        device.close()


def test_a_rejoin_after_a_short_absence_asks_the_database_nothing(counted: Ground) -> None:
    ground = counted
    eve, path = ground.eve.at(ground.stack.urls[OTHER]), f"/rooms/{ground.room}/rejoin"

    def asked_for_one_who_has_received_a_message() -> list[str]:
        """What the database is asked at the head, one message behind it, and by the server's own record."""
        sent = ground.through.send_until_taken(within_s=10)[0].message
        eve.ok("POST", "/messages/mark-received", {"roomId": ground.room, "messageId": sent["id"]})
        eve.ok("GET", path, params={"after": 0})
        asked: list[str] = []
        for query in ({"after": sent["seq"]}, {"after": sent["seq"] - 1}, {}):
            eve.ok("GET", "/me")  # the session is known for the next moment
            ground.wires["web1"]["database"].asked.clear()
            assert eve.ok("GET", path, params=query)["upToSeq"] >= sent["seq"]
            asked += questions(ground)
        return asked

    tries = [asked_for_one_who_has_received_a_message()]
    while (
        tries[-1] and len(tries) < 8
    ):  # on a busy machine the cache may have missed this message, or that it was received
        time.sleep(0.5)
        tries.append(asked_for_one_who_has_received_a_message())
    assert tries[-1] == [], tries


def test_a_rejoin_without_the_database_is_nobodys_but_a_members(ground: Ground) -> None:
    eve, path = ground.eve.at(ground.stack.urls[OTHER]), f"/rooms/{ground.room}/rejoin"
    eve.ok("GET", path, params={"after": 0})
    outsider = Person(ground.stack.urls[OTHER], f"{ground.ann.username}-o")
    assert outsider.refused("GET", path, params={"after": 0})[1]["code"] == "not_found"
    room = ground.ann.room(f"{ground.ann.username}-short", ground.eve)
    ground.ann.ok("POST", "/messages/send", send_body(room, "for members"))
    path = f"/rooms/{room}/rejoin"
    eve.ok("GET", path, params={"after": 0})
    ground.ann.ok("DELETE", f"/conversations/{room}/members/{ground.eve.id}")
    until(lambda: not eve.call("GET", path, params={"after": 0}).ok, within_s=5, what="the removal to take effect")
