"""What the Engine.IO transport lacks: a bound on what waits for a slow client, and an end to half-open handshakes.

The library's send queue has no end, so one stalled reader could take all memory. Here a client that lets more than a
megabyte wait is cut off; it comes back and catches up. Everything else is the library's own behaviour.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import engineio.socket
from engineio.packet import Packet
from engineio.socket import Socket

from app.extensions import socketio
from app.kernel import limits

log = logging.getLogger(__name__)
TURN_EVENTS = 16


class BoundedSocket(Socket):  # type: ignore[misc]
    """An Engine.IO socket that counts the bytes that wait to be written."""

    last_ping: float | None

    def __init__(self, server: Any, sid: str) -> None:
        super().__init__(server, sid)
        self.opened_at = time.monotonic()
        self.waiting_bytes = 0
        self._in_hand_bytes = 0
        self._taken = 0
        self._websocket: Any = None

    def send(self, pkt: Packet) -> None:
        """Queue a packet, or cut the client off where too much waits."""
        size = _size(pkt)
        if self.waiting_bytes and self.waiting_bytes + size > limits.SEND_QUEUE_MAX_BYTES and not self.closed:
            log.info("a client that does not read is cut off with %d bytes waiting", self.waiting_bytes)
            self.cut()
            return
        self.waiting_bytes += size
        super().send(pkt)

    def send_piece(self, piece: Sequence[Packet]) -> None:
        """Send packets that come together."""
        for pkt in piece:
            self.send(pkt)

    def receive(self, pkt: Packet) -> None:
        """Handle a packet. Any is a sign of life: the answer to a ping may wait behind many sends of a slow hour."""
        self._is_alive()
        super().receive(pkt)
        self._is_alive()
        self._let_others_in()

    def _let_others_in(self) -> None:
        """Give way now and then: a client that sends without a pause is read without one, and nobody else would be served."""
        self._taken += 1
        if self._taken % TURN_EVENTS == 0:
            self.server.sleep(0)

    def _is_alive(self) -> None:
        if self.last_ping:
            self.last_ping = time.time()

    def poll(self) -> list[Packet]:
        """Take what waits; it counts until the writer comes for more, that is, until it has been written."""
        self.waiting_bytes -= self._in_hand_bytes
        self._in_hand_bytes = 0
        packets: list[Packet] = super().poll()
        self._in_hand_bytes = sum(_size(pkt) for pkt in packets)
        return packets

    def cut(self) -> None:
        """End the connection under a writer that may be blocked in it."""
        shut(self._websocket)
        if not self.closed:
            self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_ERROR)

    def _websocket_handler(self, ws: Any) -> Any:
        self._websocket = ws
        return super()._websocket_handler(ws)


def _size(pkt: Packet) -> int:
    data = getattr(pkt, "data", None)
    return len(data) + 8 if isinstance(data, (str, bytes)) else 64


def shut(websocket: Any) -> None:
    """End a WebSocket's connection at once, whatever is blocked in it."""
    for name in ("socket", "_sock", "sock"):
        raw = getattr(websocket, name, None)
        if raw is not None and hasattr(raw, "shutdown"):
            try:
                raw.shutdown(2)
            except OSError:
                pass  # it is gone already
            return


def install(kind: type[BoundedSocket]) -> None:
    """Have the library make sockets of this kind."""
    engineio.socket.Socket = kind


def sweep(stopping: threading.Event) -> None:
    """Cut off those who opened a transport and never said who they are."""
    while not stopping.wait(limits.HANDSHAKE_S / 2):
        server = socketio.server
        for sid, transport in list(server.eio.sockets.items()):
            age_s = time.monotonic() - getattr(transport, "opened_at", time.monotonic())
            if age_s > limits.HANDSHAKE_S and server.manager.sid_from_eio_sid(sid, "/") is None:
                transport.cut()
