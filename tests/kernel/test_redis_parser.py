"""How a connection to Redis is looked at before a command, where the socket is one of eventlet's."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest
import redis

from app.extensions import Parser

pytestmark = pytest.mark.fast


def test_a_look_at_the_socket_says_what_select_would() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    parser = Parser(65_536)
    parser._sock = SimpleNamespace(fd=ours)
    parser._reader = SimpleNamespace(has_data=lambda: False)
    assert not parser.can_read()
    theirs.sendall(b"+")
    assert parser.can_read()
    assert ours.recv(10) == b"+", "a look takes nothing away"
    theirs.close()
    with pytest.raises(redis.ConnectionError):
        parser.can_read()
    ours.close()
