"""The fast path of a WebSocket: a ready frame goes straight to the client's socket, and nothing else is kept for it.

The library puts every packet into a queue, wakes the client's writer, has it encode and send: for a room of five hundred,
five hundred times. Here the sender writes the frame itself where the kernel takes it at once; only what the kernel does
not take waits, at most a megabyte, for a writer that is started then and ends when it is done. So an idle client has
neither a writer nor a timer: pings are sent by one loop for all.

What a client can tell apart from the library is nothing: the frames are the same byte for byte (``tests/sockets/
test_direct.py`` holds both side by side), and polling, an upgrade, and a loop other than eventlet's keep the library's
own way. ``CHAT_FAST_PATH=off`` takes all of it away.
"""

from __future__ import annotations

import logging
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from engineio import packet as eio
from engineio.exceptions import SocketIsClosedError, UnknownPacketError

from app.extensions import socketio
from app.kernel import json, limits
from app.sockets.transport import BoundedSocket, shut

log = logging.getLogger(__name__)
EVENT, ACK = "42", "43"
RESERVED = ("connect", "disconnect")
ID_MAX_DIGITS = 9
READ_BYTES = 8192
PING_LOOK_S = 0.25
_pings: deque[tuple[float, DirectSocket]] = deque()  # in the order in which they are due: all wait equally long


Handler = Callable[..., Any]


class Wire(NamedTuple):
    """What is needed of a WebSocket to write past it: the kernel's socket, the one that waits, and the lock of both."""

    raw: Any
    patient: Any
    lock: Any


class ReadAhead:
    """A socket that is read in large pieces: a frame's header, length, mask and body are four reads to the library."""

    __slots__ = ("_held", "_socket")

    def __init__(self, socket: Any) -> None:
        self._socket, self._held = socket, b""

    def recv(self, most: int) -> bytes:
        """Give up to ``most`` bytes, from what was read ahead where there is any."""
        held = self._held or self._socket.recv(READ_BYTES)
        self._held = held[most:]
        return bytes(held[:most])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class DirectSocket(BoundedSocket):
    """An Engine.IO socket that is written to directly where it is a WebSocket of eventlet's."""

    connected: bool
    _wire: Wire | None = None
    _is_writing = False  # a writer is under way: what comes must wait behind it

    def __init__(self, server: Any, sid: str) -> None:
        super().__init__(server, sid)
        self._behind: deque[bytes] = deque()

    # writing ----------------------------------------------------------------------------------------------------------
    def send(self, pkt: eio.Packet) -> None:
        """Write a packet, or have it wait where the client does not read."""
        if self._wire is None:
            super().send(pkt)
        elif self.check_ping_timeout():
            self.write(frame_of(pkt))

    def write(self, frame: bytes) -> None:
        """Write a ready frame; nothing here waits."""
        wire = self._wire
        assert wire is not None
        if self._is_writing or wire.lock.balance < 1:
            self._wait(frame)
            return
        try:
            sent = wire.raw.send(frame)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            return  # gone; its reader finds out
        if sent < len(frame):
            wire.lock.acquire()  # free, so this does not wait; the rest of a frame must come next
            self._wait(frame[sent:], has_lock=True)

    def _wait(self, frame: bytes, *, has_lock: bool = False) -> None:
        if self.waiting_bytes and self.waiting_bytes + len(frame) > limits.SEND_QUEUE_MAX_BYTES:
            log.info("a client that does not read is cut off with %d bytes waiting", self.waiting_bytes)
            self.cut()
            return
        self.waiting_bytes += len(frame)
        self._behind.append(frame)
        if not self._is_writing:
            self._is_writing = True
            self.server.start_background_task(self._write_behind, has_lock=has_lock)

    def _write_behind(self, *, has_lock: bool) -> None:
        wire = self._wire
        assert wire is not None
        try:
            while self._behind:
                if not has_lock:
                    wire.lock.acquire()
                try:
                    wire.patient.sendall(self._behind[0])
                finally:
                    has_lock = False
                    wire.lock.release()
                self.waiting_bytes -= len(self._behind.popleft())
        except Exception as error:  # noqa: BLE001 - whatever ended it, the client comes back and catches up
            log.debug("writing to a client ended: %s", error)
            self._behind.clear()
            self.cut()
        finally:
            self._is_writing = False
        if self.closed:
            self._websocket.close()

    # reading ----------------------------------------------------------------------------------------------------------
    def _websocket_handler(self, ws: Any) -> Any:
        wire = None if self.connected else _wire_of(ws)
        if wire is None:  # an upgrade, or another kind of WebSocket
            return super()._websocket_handler(ws)
        self._websocket, self.connected, self.upgraded = ws, True, True
        first = [self.queue.get(block=False) for _ in range(self.queue.qsize())]
        self.waiting_bytes, self._wire = 0, wire
        for pkt in first:
            self.write(frame_of(pkt))
        ws.socket = ReadAhead(ws.socket)
        try:
            self._read(ws)
        finally:
            self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_CLOSE)
            if self._is_writing:
                shut(ws)  # wakes the writer, which ends the rest
            else:
                ws.close()
        return []

    def _read(self, ws: Any) -> None:
        while True:
            try:
                received = ws.wait()
            except Exception as error:  # noqa: BLE001 - as in the library: a socket that fails is one that has ended
                log.debug("reading from a client ended: %s", error)
                return
            if received is None or len(received) > self.server.max_http_buffer_size or not self._take(received):
                return

    def _take(self, received: str | bytes) -> bool:
        """Handle what a client sent; tells whether to go on reading."""
        try:
            if not (isinstance(received, str) and received.startswith(EVENT) and self._take_event(received)):
                self.receive(eio.Packet(encoded_packet=received))
        except UnknownPacketError:
            pass
        except SocketIsClosedError:
            return False
        except Exception:
            log.exception("a packet could not be handled")
            return False
        return True

    def _take_event(self, received: str) -> bool:
        """Handle an event of the main namespace; tells whether it was one. Whatever looks odd is the library's to judge."""
        begin = received.find("[", 2, 3 + ID_MAX_DIGITS)
        number = received[2:begin]
        if begin < 0 or (number and not (number.isascii() and number.isdigit())):
            return False
        try:
            name, *payload = json.loads(received[begin:])
            handler: Handler | None = None if name in RESERVED else _handlers().get(name)
        except (ValueError, TypeError):
            return False
        sid = _sid_of(self)
        if handler is None or sid is None:
            return False
        self._is_alive()
        answer = handler(sid, *payload)
        self._is_alive()
        if number and not self.closed:
            self.write(frame_of_text(f"{ACK}{number}[{json.dumps(answer)}]"))
        self._let_others_in()
        return True

    # ending and pings -------------------------------------------------------------------------------------------------
    def close(self, wait: bool = True, abort: bool = False, reason: Any = None) -> None:
        """End the connection. What waits is written first, in the background, unless the client is cut off."""
        if self._wire is None:
            super().close(wait=wait, abort=abort, reason=reason)
            return
        was_open = not (self.closed or self.closing)
        super().close(wait=False, abort=abort, reason=reason)
        if was_open and not abort:
            if self._is_writing:
                self.server.start_background_task(self._give_up)
            else:
                self._websocket.close()

    def _give_up(self) -> None:
        """End a connection whose client may never read what it is told at its end."""
        self.server.sleep(self.server.ping_timeout)
        shut(self._websocket)

    def schedule_ping(self) -> None:
        """Have the next ping sent by the loop of all sockets."""
        if self.last_ping:
            self.last_ping = None
            _pings.append((time.monotonic() + self.server.ping_interval, self))

    def ping(self) -> None:
        """Ask the client whether it is there."""
        if not (self.closing or self.closed):
            self.last_ping = time.time()
            self.send(eio.Packet(eio.PING))


def run_pings(stopping: threading.Event) -> None:
    """Send the pings that are due, until told to end."""
    while not stopping.wait(PING_LOOK_S):
        while _pings and _pings[0][0] <= time.monotonic():
            try:
                _pings.popleft()[1].ping()
            except Exception as error:  # noqa: BLE001 - one client that is going must not keep the others from theirs
                log.debug("a ping could not be sent: %s", error)


# frames ---------------------------------------------------------------------------------------------------------------
def frame_of(pkt: eio.Packet) -> bytes:
    """Give a packet's frame, made once however many clients it goes to."""
    ready: bytes | None = getattr(pkt, "frame", None)
    if ready is None:
        encoded = pkt.encode()
        ready = _frame(0x82, encoded) if isinstance(encoded, bytes) else frame_of_text(encoded)
        pkt.frame = ready
    return ready


def frame_of_text(text: str) -> bytes:
    """Give the frame of a text message (RFC 6455 section 5.2): unmasked, whole."""
    return _frame(0x81, text.encode())


def _frame(kind: int, body: bytes) -> bytes:
    size = len(body)
    if size < 126:
        return bytes((kind, size)) + body
    if size < 65_536:
        return struct.pack("!BBH", kind, 126, size) + body
    return struct.pack("!BBQ", kind, 127, size) + body


# what is looked up in the libraries -----------------------------------------------------------------------------------
def _wire_of(ws: Any) -> Wire | None:
    """Find what direct writing needs, or None where this is not eventlet's WebSocket or what it sends is compressed."""
    patient: Any = getattr(ws, "socket", None)
    lock = getattr(ws, "_sendlock", None)
    raw = getattr(patient, "fd", None)
    if lock is None or not hasattr(raw, "send") or ws.extensions or ws.version != 13:
        return None
    patient.settimeout(None)  # pings look after it; a time-out would cost a timer for each read
    return Wire(raw, patient, lock)


def _handlers() -> dict[str, Any]:
    found: dict[str, Any] = socketio.server.handlers.get("/", {})
    return found


def _sid_of(socket: DirectSocket) -> str | None:
    manager = socketio.server.manager
    sid: str | None = manager.sid_from_eio_sid(socket.sid, "/")
    return sid if sid is not None and manager.is_connected(sid, "/") else None
