"""The direct WebSocket beside the library's own: the same bytes, whatever the client sends or does not read."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import socketio

from tests.support.stack import free_port, until

ROOT = Path(__file__).parents[2]
SID = re.compile(rb'"sid":"[^"]+"')
Ports = dict[str, int]


@pytest.fixture(scope="module")
def ports() -> Iterator[Ports]:
    """Both kinds of server."""
    found, processes = {}, []
    for kind in ("library", "direct"):
        found[kind] = free_port()
        command = [sys.executable, str(Path(__file__).with_name("two_servers.py")), kind, str(found[kind]), str(ROOT)]
        processes.append(subprocess.Popen(command, env={**os.environ, "PYTHONWARNINGS": "ignore"}))
    for port in found.values():
        until(lambda port=port: _listens(port), within_s=30, what="a server")
    yield found
    for process in processes:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Raw:
    """A WebSocket client that sees bytes."""

    def __init__(self, port: int, *, buffer: int = 0) -> None:
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", port))
        key = base64.b64encode(b"k" * 16).decode()
        self.socket.sendall(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.held = b""
        while b"\r\n\r\n" not in self.held:
            self.held += self.socket.recv(4096)
        self.held = self.held.partition(b"\r\n\r\n")[2]
        self.text("40")

    def frame(self, kind: int, body: bytes, *, last: bool = True) -> None:
        mask = b"\x37\xfa\x21\x3d"
        size = len(body)
        head = bytes((kind | (0x80 if last else 0),))
        head += bytes((0x80 | size,)) if size < 126 else struct.pack("!BH", 0xFE, size)
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(body))
        self.socket.sendall(head + mask + masked)

    def text(self, body: str) -> None:
        self.frame(1, body.encode())

    def read(self) -> tuple[bytes, bytes]:
        """Give the next frame: its header, and its body."""
        head = self._take(2)
        size = head[1]
        if size in (126, 127):
            more = self._take(2 if size == 126 else 8)
            head, size = head + more, int.from_bytes(more, "big")
        return head, self._take(size)

    def _take(self, count: int) -> bytes:
        while len(self.held) < count:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError
            self.held += more
        taken, self.held = self.held[:count], self.held[count:]
        return taken

    def until(self, word: bytes) -> list[tuple[bytes, bytes]]:
        """Read up to a frame with this in it; pings come when they come and are answered aside."""
        seen = []
        while True:
            head, body = self.read()
            if body == b"2":
                self.text("3")
                continue
            body = SID.sub(b'"sid":"S"', body)
            # an open packet and a connect answer carry ids of equal length, so the header is as comparable as the body
            seen.append((head, body))
            if word in body:
                return seen


def _transcript(port: int) -> list[tuple[bytes, bytes]]:
    client = Raw(port)
    seen = client.until(b"40{")
    client.text('421["echo",{"a":1}]')
    client.text('42["echo","no ack asked"]')
    client.text('42123["echo"]')
    client.text('420["echo",{"text":"grüße 👍 \\u0000 \\ud83d\\ude00","n":1.5,"deep":[[[{}]]]}]')
    client.text('427["no-such-event",1]')
    client.text("42not json")
    client.text("42[]")
    client.text('423[{"a":1}]')
    client.text('424["disconnect"]')
    client.text('4299999999999["echo",1]')
    client.text('42/other,5["echo",1]')
    client.text('42/,6["echo","named namespace"]')
    whole = b'428["echo","in three pieces"]'
    client.frame(1, whole[:5], last=False)
    client.frame(9, b"are you there")  # a control frame between fragments
    client.frame(0, whole[5:9], last=False)
    client.frame(0, whole[9:])
    client.text('451-9["bytes",{"data":{"_placeholder":true,"num":0}}]')
    client.frame(2, b"\x00\x01\x02")
    client.text("430[1]")  # an ack that nobody waits for
    client.text(f'4210["echo","{"x" * 200}"]')
    client.text(f'4211["echo","{"x" * 60_000}"]')
    client.text(f'4212["all",{70_000},2]')
    seen += client.until(b'42["done"')
    client.text('42["leave"]')
    client.text("2probe")
    try:
        while True:
            seen.append(client.read())
    except (EOFError, ConnectionError):
        seen.append((b"", b"closed"))
    return seen


def test_every_frame_is_the_librarys_byte_for_byte(ports: Ports) -> None:
    with ThreadPoolExecutor() as both:
        library, direct = both.map(_transcript, (ports["library"], ports["direct"]))
    assert len(library) > 15
    assert [frame for frame in direct if not _controls(frame)] == [frame for frame in library if not _controls(frame)]
    # A pong waits for no queue there; what its last frame says depends on which of its greenlets comes first.
    pongs, closes = (
        [[f for f in seen if f[0][:1] == kind] for seen in (direct, library)] for kind in (b"\x8a", b"\x88")
    )
    assert pongs[0] == pongs[1]
    assert [len(found) for found in closes] == [1, 1]


def _controls(frame: tuple[bytes, bytes]) -> bool:
    return bool(frame[0]) and frame[0][0] & 8 == 8


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x81\x05hello",
        b"\xc1\x80abcd",
        b"\x83\x80abcd",
        b"\x80\x80abcd",
        b"\x81\xfe\xff\xffabcd" + b"x" * 65535,
        b"\x81\x80abcd",
    ],
    ids=["unmasked", "reserved bit", "unknown kind", "nothing to continue", "too large", "empty"],
)
def test_what_breaks_the_protocol_ends_the_connection_on_both(ports: Ports, wrong: bytes) -> None:
    for kind in ("library", "direct"):
        client = Raw(ports[kind])
        client.until(b"40{")
        client.socket.sendall(wrong)
        client.socket.settimeout(30)
        with pytest.raises((EOFError, ConnectionError)):
            while True:
                client.read()
        _still_serves(ports[kind])


def _still_serves(port: int) -> None:
    client = Raw(port)
    client.text('421["echo","still here"]')
    client.until(b"still here")
    client.socket.close()


def _numbers(heard: list[tuple[bytes, bytes]]) -> list[int]:
    return [json.loads(body[2:])[1]["number"] for _, body in heard if body[:6] == b'42["bi']


def test_a_reader_that_pauses_gets_everything_in_order_and_whole(ports: Ports) -> None:
    slow, other = Raw(ports["direct"], buffer=4096), Raw(ports["direct"])
    slow.until(b"40{")
    other.text('421["all",90000,9]')
    assert [
        json.loads(body[2:])[1]["number"] for _, body in other.until(b'42["done"') if body[:6] == b'42["bi'
    ] == list(range(9))
    time.sleep(0.3)
    slow.text('422["echo","behind them all"]')  # its answer and the pongs must not cut into a frame half written
    slow.frame(9, b"pong me")
    heard = slow.until(b"behind them all")
    assert _numbers(heard) == list(range(9))
    for _, body in heard:
        if body[:6] == b'42["bi':
            assert json.loads(body[2:])[1]["filler"] == "é" * 45000


def test_a_reader_that_never_reads_is_cut_and_holds_up_nobody(ports: Ports) -> None:
    stuck, other = Raw(ports["direct"], buffer=4096), Raw(ports["direct"])
    stuck.until(b"40{")
    other.text(
        '421["all",90000,16,0.1]'
    )  # slow enough for a test that is not run for a second; it would be cut as well
    assert _numbers(other.until(b'42["done"')) == list(range(16))
    other.text('422["how-many"]')
    until(lambda: _how_many(other) <= 1, within_s=10, what="the stuck reader to be gone")
    with pytest.raises((EOFError, ConnectionError)):
        while True:
            stuck.read()


def _how_many(client: Raw) -> int:
    client.text('429["how-many"]')
    return int(client.until(b"439[")[-1][1][4:-1])


def test_a_reader_that_vanishes_while_it_is_written_to_leaves_the_others_whole(ports: Ports) -> None:
    other = Raw(ports["direct"])
    gone = [Raw(ports["direct"], buffer=4096) for _ in range(5)]
    for client in gone:
        client.until(b"40{")
    other.text('421["all",60000,20,0.05]')
    for client in gone:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.socket.close()
    assert _numbers(other.until(b'42["done"')) == list(range(20))
    until(lambda: _how_many(other) == 1, within_s=10, what="the vanished to be forgotten")


@pytest.mark.parametrize("kind", ["library", "direct"])
def test_a_client_that_does_not_answer_pings_is_hung_up_on(ports: Ports, kind: str) -> None:
    client = Raw(ports[kind])
    client.until(b"40{")
    started = time.monotonic()
    with pytest.raises((EOFError, ConnectionError)):
        while True:
            client.read()
    assert 2 < time.monotonic() - started < 30


@pytest.mark.parametrize("transports", [["polling"], ["polling", "websocket"], ["websocket"]], ids=str)
def test_polling_and_upgrades_work_as_ever(ports: Ports, transports: list[str]) -> None:
    heard: list[dict[str, object]] = []
    client = socketio.Client(reconnection=False, json=json)
    client.on("big", heard.append)
    client.connect(f"http://127.0.0.1:{ports['direct']}", transports=transports, wait_timeout=10)
    assert client.call("echo", {"by": transports}, timeout=10) == {"ok": True, "given": [{"by": transports}]}
    client.call("all", (300, 5), timeout=10)
    until(lambda: len(heard) == 5, what="five events")
    time.sleep(2.5)  # a ping
    assert client.call("echo", "still", timeout=10)["given"] == ["still"]
    client.disconnect()


def test_one_more_than_a_process_takes_is_hung_up_on_and_let_in_when_another_has_gone() -> None:
    port = free_port()
    command = [sys.executable, str(Path(__file__).with_name("two_servers.py")), "direct", str(port), str(ROOT)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONWARNINGS": "ignore", "CLIENTS_MAX": "2"})
    try:
        until(lambda: _listens(port), within_s=30, what="a server")
        clients = [Raw(port), Raw(port)]
        for client in clients:
            client.until(b"40{")
        with pytest.raises((EOFError, ConnectionError)):
            Raw(port).until(b"40{")
        clients[0].text('421["echo",1]')
        clients[0].until(b"431[")
        clients[1].socket.close()
        until(lambda: _is_let_in(port), within_s=10, what="room for another")
    finally:
        process.kill()
        process.wait()


def _is_let_in(port: int) -> bool:
    try:
        Raw(port).until(b"40{")
    except (EOFError, ConnectionError):
        return False
    return True
