"""A lean Socket.IO client for load: one thread, epoll, no library, so that what is measured is the server."""

from __future__ import annotations

import json
import selectors
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MASK = b"\x37\xfa\x21\x3d"
MASKS = MASK * 64
AGAIN_S = 0.5
HANDSHAKE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: a2tra2tra2tra2tra2tra2s=\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def frame(text: str) -> bytes:
    """Make a client's text frame (masked, as RFC 6455 section 5.3 has it)."""
    body = text.encode()
    size = len(body)
    head = bytes((0x81, 0x80 | size)) if size < 126 else struct.pack("!BBH", 0x81, 0xFE, size)
    key = MASKS if size <= len(MASKS) else MASK * (size // 4 + 1)
    masked = int.from_bytes(body, "big") ^ int.from_bytes(key[:size], "big")
    return head + MASK + masked.to_bytes(size, "big")


@dataclass(eq=False, slots=True)
class Client:
    """One connection: where it is in its handshake, and what it waits for."""

    number: int
    room: int
    token: str
    socket: socket.socket | None = None
    held: bytes = b""
    is_ready: bool = False
    began_at: float = 0.0
    next_id: int = 0
    waiting: dict[int, Callable[[bytes, float], None]] = field(default_factory=dict)


class Net:
    """Many clients and one loop. ``on_event`` gets (client, payload of an event packet, when)."""

    def __init__(self, port: int, auth: Callable[[str], Any], *, awaits_ready: bool) -> None:
        self.port, self.auth, self.awaits_ready = port, auth, awaits_ready
        self.on_event: Callable[[Client, bytes, float], None] = lambda *_: None
        self.on_ready: Callable[[Client], None] = lambda _: None
        self.lost = 0
        self.put_off = 0
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._selector = selectors.DefaultSelector()

    def open(self, client: Client) -> None:
        """Begin to connect."""
        raw = socket.create_connection(("127.0.0.1", self.port), 30)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.sendall(HANDSHAKE)
        raw.setblocking(False)
        client.socket, client.held, client.is_ready, client.began_at = raw, b"", False, time.perf_counter()
        client.waiting.clear()
        self._selector.register(raw, selectors.EVENT_READ, client)

    def close(self, client: Client) -> None:
        """Hang up without a word, as a lost network does."""
        if client.socket is not None:
            self._selector.unregister(client.socket)
            client.socket.close()
            client.socket, client.is_ready = None, False

    def emit(self, client: Client, event: list[Any], on_ack: Callable[[bytes, float], None]) -> None:
        """Send an event and have its ack handed on."""
        number, client.next_id = client.next_id, client.next_id + 1
        client.waiting[number] = on_ack
        self._write(client, f"42{number}{json.dumps(event, separators=(',', ':'))}")

    def later(self, step: Callable[[], None]) -> None:
        """Do again, in a moment, what was refused for now."""
        self.put_off += 1
        self._due.append((time.perf_counter() + AGAIN_S, step))

    def _write(self, client: Client, text: str) -> None:
        if client.socket is None:
            return  # its connection is lost: what is sent on it comes to nothing, and the run is incomplete
        client.socket.send(frame(text))  # small against the kernel's buffer, and the server reads

    def pump(self, until: float, *, done: Callable[[], bool] = lambda: False) -> bool:
        """Handle what comes until a time (perf_counter) or until it is done; tells whether it is."""
        while not done():
            left = until - time.perf_counter()
            if left <= 0:
                return done()
            for key, _ in self._selector.select(min(left, 0.05)):
                self._read(key.data)
            while self._due and self._due[0][0] <= time.perf_counter():
                self._due.pop(0)[1]()
        return True

    def _read(self, client: Client) -> None:
        if client.socket is None:
            return  # hung up on meanwhile
        try:
            more = client.socket.recv(262_144)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        if not more:
            self.lost += 1
            self.close(client)
            return
        self._take(client, client.held + more if client.held else more, time.perf_counter())

    def _take(self, client: Client, held: bytes, now: float) -> None:
        at, end = 0, len(held)
        if held.startswith(b"HTTP/1.1"):
            at = held.find(b"\r\n\r\n") + 4
            if at < 4:
                client.held = held
                return
        while end - at >= 2:
            size, start = held[at + 1], at + 2
            if size == 126 and end - at >= 4:
                size, start = (held[at + 2] << 8) | held[at + 3], at + 4
            elif size == 127 and end - at >= 10:
                size, start = int.from_bytes(held[at + 2 : at + 10], "big"), at + 10
            elif size >= 126:
                break
            if end - start < size:
                break
            at = start + size
            self._packet(client, held[start:at], now)
        client.held = held[at:]

    def _packet(self, client: Client, packet: bytes, now: float) -> None:
        kind = packet[:2]
        if kind == b"42":
            if not client.is_ready and self.awaits_ready and packet.startswith(b'42["ready"'):
                self._ready(client)
            self.on_event(client, packet, now)
        elif kind == b"43":
            waiting = client.waiting.pop(int(packet[2 : packet.index(b"[")]), None)
            if waiting is not None:
                waiting(packet, now)
        else:
            self._engine(client, packet)

    def _engine(self, client: Client, packet: bytes) -> None:
        if packet == b"2":
            self._write(client, "3")
        elif packet[:1] == b"0":
            self._write(client, f"40{json.dumps(self.auth(client.token))}")
        elif packet[:2] == b"40" and not self.awaits_ready:
            self._ready(client)
        elif packet[:2] == b"44" and b'"temporary":true' in packet:
            self.close(client)
            self.later(lambda: self.open(client))
        elif packet[:2] == b"44":
            raise SystemExit(f"a client was refused: {packet.decode()}")

    def _ready(self, client: Client) -> None:
        client.is_ready = True
        self.on_ready(client)
