"""The fast path of a WebSocket: frames go straight to and from the client's socket, and next to nothing is kept for it.

The library puts every packet into a queue, wakes the client's writer, has it encode and send: for a room of five hundred,
five hundred times. And each client has a greenlet that waits for what it sends. Here the sender writes the frame itself;
only what the kernel does not take at once waits, at most a megabyte. And the event loop calls when a client has sent
something: no greenlet waits, no timer runs for it, and pings are sent by one loop for all.

What a client can tell apart from the library is nothing: the frames are the same byte for byte (``tests/sockets/
test_direct.py`` holds both side by side), and polling, an upgrade, and a loop other than eventlet's keep the library's
own way. ``CHAT_FAST_PATH=off`` takes all of it away.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from engineio import packet as eio
from engineio.exceptions import SocketIsClosedError, UnknownPacketError

from app.extensions import socketio
from app.kernel import json, limits
from app.sockets import door, frames, http, loop
from app.sockets.transport import BoundedSocket
from app.sockets.wire import Wire

log = logging.getLogger(__name__)
EVENT, ACK = "42", "43"
RESERVED = ("connect", "disconnect")
ID_MAX_DIGITS = 9
GOODBYE_S = 5.0  # for a client to take what it is told at its end
PING_LOOK_S = 0.25
_pings: deque[tuple[float, DirectSocket]] = deque()  # in the order in which they are due: all wait equally long


Handler = Callable[..., Any]


class Nowhere:
    """The queue of those who are written to directly: for the library, which puts an end into it."""

    def put(self, _: Any) -> None:
        """Forget it."""


NOWHERE = Nowhere()


class DirectSocket(Wire, BoundedSocket):
    """An Engine.IO socket that reads and writes directly where it is a WebSocket of eventlet's."""

    comes_by_door = True  # for whoever serves it
    connected: bool
    queue: Any

    def _upgrade_websocket(self, environ: dict[str, Any], start_response: Any) -> Any:
        visitor = None if self.connected else door.visitor(environ)
        if visitor is None:  # an upgrade, or it came by another way
            return super()._upgrade_websocket(environ, start_response)
        if len(self.server.sockets) > limits.CLIENTS_MAX:
            super().close(wait=False, abort=True)  # the HTTP server gets it then, and says so
        else:
            self._speak(visitor.take(), http.switching(environ["HTTP_SEC_WEBSOCKET_KEY"]))
        return []

    def _websocket_handler(self, ws: Any) -> Any:
        if len(self.server.sockets) > limits.CLIENTS_MAX:
            super().close(wait=False, abort=True)
            return []
        raw = None if self.connected else loop.take(ws)
        if raw is None:  # an upgrade, or another kind of WebSocket
            return super()._websocket_handler(ws)
        self._speak(raw)
        return []

    def _speak(self, raw: Any, first: bytes = b"") -> None:
        """Begin, with what waits for the client behind what is to be said first."""
        waiting = [self.queue.get(block=False) for _ in range(self.queue.qsize())]
        self.connected, self.upgraded, self.queue = True, True, NOWHERE
        self.most_bytes = self.server.max_http_buffer_size
        self.begin(raw)
        self.write(first + b"".join([frame_of(pkt) for pkt in waiting]))

    def send(self, pkt: eio.Packet) -> None:
        """Write a packet, or have it wait where the client does not read."""
        if self._raw is None:
            super().send(pkt)
        elif not (self.closed or self.last_ping) or self.check_ping_timeout():  # that raises where it is closed
            self.write(frame_of(pkt))

    def send_piece(self, piece: Any) -> None:
        """Write packets that come together as one piece of bytes."""
        if self._raw is None:
            super().send_piece(piece)
        elif not (self.closed or self.last_ping) or self.check_ping_timeout():
            if piece.frames is None:
                piece.frames = b"".join([frame_of(pkt) for pkt in piece])
            self.write(piece.frames)

    # reading ----------------------------------------------------------------------------------------------------------
    def handle(self, received: str | bytes) -> bool:
        """Handle what a client sent; tells whether to go on reading."""
        return not self.closed and self._take(received)

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
            self.write(frames.of_text(f"{ACK}{number}[{json.dumps(answer)}]"))
        self._let_others_in()
        return True

    # ending and pings -------------------------------------------------------------------------------------------------
    def close(self, wait: bool = True, abort: bool = False, reason: Any = None) -> None:
        """End the connection. What waits is written first, in the background, unless the client is cut off."""
        if self._raw is None:
            super().close(wait=wait, abort=abort, reason=reason)
            return
        was_open = not (self.closed or self.closing)
        super().close(wait=False, abort=abort, reason=reason)
        if was_open and abort:
            self.cut()
        elif was_open:
            self.write(frames.closing(frames.NORMAL))
            self.hang_up(at_once=False)
            loop.later(GOODBYE_S, self.cut)

    def cut(self) -> None:
        """End the connection under whatever is being written; its reader does the rest."""
        if self._raw is None:
            super().cut()
        else:
            self.hang_up(at_once=True)

    def ended(self) -> None:
        """Forget a connection that is no more."""
        if not self.closed:
            super().close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_CLOSE)
        self.server.sockets.pop(self.sid, None)

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


def frame_of(pkt: eio.Packet) -> bytes:
    """Give a packet's frame."""
    encoded = pkt.encode()
    return frames.make(frames.BINARY, encoded) if isinstance(encoded, bytes) else frames.of_text(encoded)


# what is looked up in the libraries -----------------------------------------------------------------------------------
def _handlers() -> dict[str, Any]:
    found: dict[str, Any] = socketio.server.handlers.get("/", {})
    return found


def _sid_of(socket: DirectSocket) -> str | None:
    manager = socketio.server.manager
    sid: str | None = manager.sid_from_eio_sid(socket.sid, "/")
    return sid if sid is not None and manager.is_connected(sid, "/") else None
