"""Clients that do not behave: each costs its own connection, and everybody else is served."""

from __future__ import annotations

import json
from typing import Any

import pytest
import websocket
from websocket import ABNF

from tests.faults.conftest import BEHIND, THROUGH, Ground
from tests.support.clients import Person, Socket, refused_connection
from tests.support.stack import until


def plug(ground: Ground, number: int, **more: Any) -> websocket.WebSocket:
    """Open a WebSocket to a web process, of which the test reads what it likes."""
    url = ground.stack.urls[number].replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    plugged = websocket.create_connection(url, suppress_origin=True, timeout=10, **more)
    assert plugged.recv()[0] == "0"
    return plugged


def signed_in(ground: Ground, number: int, person: Person | None = None, **more: Any) -> websocket.WebSocket:
    plugged = plug(ground, number, **more)
    plugged.send("40" + json.dumps({"token": (person or ground.ben).token}))
    assert plugged.recv().startswith("40")
    return plugged


def ends(plugged: websocket.WebSocket) -> bool:
    """Read to the end."""
    try:
        while plugged.recv():
            pass
    except (websocket.WebSocketException, OSError):
        return True
    return True


@pytest.mark.parametrize("pieces", [1, 70], ids=["in one frame", "in fragments"])
def test_a_message_over_64_kb_ends_its_connection_and_no_other(ground: Ground, pieces: int) -> None:
    big = signed_in(ground, BEHIND)
    text = ("42" + "x" * (70 * 1024)).encode()
    size = -(-len(text) // pieces)
    try:
        for place in range(0, len(text), size):
            first, last = place == 0, place + size >= len(text)
            opcode = ABNF.OPCODE_TEXT if first else ABNF.OPCODE_CONT
            big.send_frame(ABNF.create_frame(text[place : place + size], opcode, int(last)))
    except OSError:
        pass  # cut off in the middle
    assert ends(big)
    assert ground.behind.try_once().ok


def test_compression_that_costs_memory_is_declined(ground: Ground) -> None:
    plugged = plug(ground, BEHIND, header=["Sec-WebSocket-Extensions: permessage-deflate"])
    assert "sec-websocket-extensions" not in {name.lower() for name in plugged.headers}
    plugged.close()


def test_one_person_has_only_so_many_sockets_and_is_told_when_to_come_back(ground: Ground) -> None:
    auth, url = {"token": ground.ben.token}, ground.stack.urls[THROUGH]
    sockets = [Socket(url, auth) for _ in range(6)]
    refusal = refused_connection(url, auth)
    assert (refusal["code"], refusal["data"]["retryAfter"] > 0) == ("rate_limited", True)
    sockets.pop().close()
    until(lambda: Socket(url, auth).close() is None, what="room for another one")
    assert ground.through.try_once().ok
    for device in sockets:
        device.close()
