"""One who asks before the welcome: answered from what the welcome finds, and not kept waiting where there is none."""

from __future__ import annotations

import time
from types import SimpleNamespace
from uuid import uuid4

import pytest

from app.kernel.actor import Actor
from app.sockets import rooms
from app.sockets.registry import Connection

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(("settles_after", "looks"), [(0, 0), (3, 3)])
def test_it_waits_until_the_socket_knows_its_conversations(
    monkeypatch: pytest.MonkeyPatch, settles_after: int, looks: int
) -> None:
    connection, slept = Connection("s", Actor(uuid4(), "user"), is_settled=settles_after == 0), []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        connection.is_settled = len(slept) >= settles_after

    monkeypatch.setattr(rooms, "server", lambda: SimpleNamespace(sleep=sleep))
    rooms.until_settled(connection)
    assert len(slept) == looks


def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "SETTLED_WITHIN_S", 0.05)
    monkeypatch.setattr(rooms, "server", lambda: SimpleNamespace(sleep=time.sleep))
    began = time.monotonic()
    rooms.until_settled(Connection("s", Actor(uuid4(), "user")))
    assert 0.05 <= time.monotonic() - began < 5
