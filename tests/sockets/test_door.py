"""The door beside the library's own server: who is let in by it, who is left to the server, and what each is answered."""

from __future__ import annotations

import io
import queue
import re
import socket
from typing import Any
from unittest.mock import patch

import pytest

from app.sockets import door, http, loop
from tests.sockets.test_direct import Ports, ports  # noqa: F401 - a fixture

KEY = "a2tra2tra2tra2tra2traw=="
FIELDS = {
    "Host": "h:5000",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
    "Cookie": "a=b; c=d",
    "X-Forwarded-For": "10.0.0.1",
    "X_Under": "left out",
    "Origin": "http://h:5000",
}
PATH = "/socket.io/?EIO=4&transport=websocket"
OPEN = re.compile(rb'"sid":"[^"]+"')
DATE = re.compile(rb"Date: [^\r]+\r\n")


def request(path: str = PATH, *, method: str = "GET", **more: str | None) -> bytes:
    """Make a request for a WebSocket; a field that is None is left out."""
    fields = {**FIELDS, **{name.replace("_", "-"): value for name, value in more.items()}}
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode()


ODD = {
    "another path": request("/other?EIO=4&transport=websocket"),
    "polling": request("/socket.io/?EIO=4&transport=polling", Upgrade=None, Connection="close"),
    "an upgrade of a polling connection": request(PATH + "&sid=unknown"),
    "another method": request(method="POST"),
    "no upgrade": request(Upgrade=None, Connection="close"),
    "another upgrade": request(Upgrade="h2c", Connection="close"),
    "an upgrade that is not meant": request(Connection="close"),
    "an older version": request(Sec_WebSocket_Version="12"),
    "no version": request(Sec_WebSocket_Version=None),
    "no key": request(Sec_WebSocket_Key=None),
    "a body": request(Content_Length="3") + b"abc",
    "an odd head": request() .replace(b"Host: ", b"Host : "),
}  # fmt: skip
REFUSED = {
    "another protocol": request("/socket.io/?EIO=3&transport=websocket"),
    "an unknown transport": request("/socket.io/?EIO=4&transport=websocket2"),
    "another origin": request(Origin="http://evil"),
}


def parsed(raw: bytes) -> http.Head:
    """Read a request that the door takes."""
    found = http.upgrade(raw)
    assert found is not None
    assert found.size == len(raw)
    return found


@pytest.mark.fast
def test_a_plain_request_is_the_doors_and_its_environment_is_the_librarys() -> None:
    own, peer = ("127.0.0.1", 5000), ("127.0.0.2", 40000)
    kind = loop.protocol()
    library: Any = kind.__new__(kind)
    rest = io.BufferedReader(io.BytesIO(request()))  # type: ignore[arg-type]
    library.raw_requestline = rest.readline()

    class Rest:
        fp = rest
        readline = rest.readline

    library.rfile, library.client_address, library.wfile = Rest, peer, None
    library.request = library.connection = type("Connection", (), {"getsockname": lambda _: own})()
    library.conn_state, library.server = [peer, None, None], _server()
    assert library.parse_request()
    expected = library.get_environ()
    made = http.environ(parsed(request()), own=own, peer=peer)
    ours_alone = {name for name in expected if name.startswith(("eventlet.", "parley."))} | {
        "headers_raw",
        "wsgi.input",
    }
    assert {name: made.get(name) for name in expected if name not in ours_alone} == {
        name: value for name, value in expected.items() if name not in ours_alone
    }
    assert set(made) - set(expected) == set()


def _server() -> Any:
    import eventlet.wsgi  # noqa: PLC0415

    server = eventlet.wsgi.Server.__new__(eventlet.wsgi.Server)
    server.socket, server.environ = None, None
    return server


@pytest.mark.fast
@pytest.mark.parametrize("name", ODD)
def test_whatever_else_is_the_servers(name: str) -> None:
    assert http.upgrade(ODD[name]) is None
    for size in range(0, len(request()), 7):
        assert http.upgrade(request()[:size]) is None
    assert http.upgrade(request() + b"more") is None


def answer(port: int, *pieces: bytes, until: bytes = b"") -> bytes:
    """Send a request in pieces and read what comes, up to something, a pause or the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        came = b""
        for piece in pieces:
            client.sendall(piece)
        while not (until and until in came):
            try:
                more = client.recv(65_536)
            except TimeoutError:
                break
            if not more:
                break
            came += more
            if not until:
                client.settimeout(0.3)  # the connection stays for the next request
    return DATE.sub(b"", OPEN.sub(b'"sid":"S"', came))


@pytest.mark.fast
@pytest.mark.parametrize("is_taken", [True, False])
@pytest.mark.parametrize("failure", [ValueError, OSError])
def test_one_on_whom_the_application_fails_is_hung_up_on_or_left_to_the_server(
    failure: type[Exception], *, is_taken: bool
) -> None:
    def application(environ: dict[str, Any], _: Any) -> list[bytes]:
        found = door.visitor(environ)
        assert found is not None
        if is_taken:
            found.take()
        raise failure

    client, here = socket.socketpair()
    client.settimeout(5)
    client.sendall(request())
    visitor = door.Visitor(here, ("127.0.0.2", 40000))
    visitor.head = parsed(request())
    opened = door.Door.__new__(door.Door)
    opened._application, opened._for_server = application, queue.Queue()
    with patch.object(http, "environ", lambda *_, **__: {}):
        opened._let_in(visitor)
    assert opened._for_server.qsize() == (not is_taken)
    if is_taken:
        assert client.recv(1) == b""
    else:
        assert here.recv(65_536) == request(), "nothing was read"
    client.close()
    here.close()


def test_who_is_let_in_hears_the_same(ports: Ports) -> None:  # noqa: F811
    heard = {kind: answer(port, request(), until=b"maxPayload") for kind, port in ports.items()}
    assert heard["direct"] == heard["library"]
    assert heard["direct"].startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize("name", [*ODD, *REFUSED])
def test_who_is_not_is_answered_as_by_the_library(ports: Ports, name: str) -> None:  # noqa: F811
    heard = {kind: answer(port, {**ODD, **REFUSED}[name]) for kind, port in ports.items()}
    assert heard["direct"] == heard["library"]
    assert heard["direct"]


@pytest.mark.parametrize("cut", [1, 10, 60, -3])
def test_a_request_may_come_in_pieces(ports: Ports, cut: int) -> None:  # noqa: F811
    for port in ports.values():
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(request()[:cut])
            assert answer(port, request(), until=b"maxPayload").startswith(b"HTTP/1.1 101 ")  # others come meanwhile
            client.sendall(request()[cut:])
            assert client.recv(65_536).startswith(b"HTTP/1.1 101 ")


def test_who_says_nothing_is_hung_up_on_and_many_come_at_once(ports: Ports) -> None:  # noqa: F811
    silent = [socket.create_connection(("127.0.0.1", ports["direct"]), timeout=10) for _ in range(200)]
    assert answer(ports["direct"], request(), until=b"maxPayload").startswith(b"HTTP/1.1 101 ")
    assert [client.recv(1) for client in silent] == [b""] * 200
    for client in silent:
        client.close()
