"""The way of an event to the sockets of this process that are in its room: encoded once, and written once to each.

Messages that come together (a batch that was committed) go to a socket as one piece of bytes for each room, in their order:
in a busy room that is one write a member for the whole batch. Between rooms nothing is said of order; there others have a turn.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from engineio.packet import MESSAGE, Packet

from app.outbound.occupancy import Occupied

log = logging.getLogger(__name__)
PIECE_MAX_CHARS = (
    32_768  # of packets that are written as one: a slow reader's queue is bounded, and so is what it may miss
)
WRITES_AT_ONCE = 64  # then others have a turn: a commit whose answer has come waits for no fan-out of five milliseconds
About = dict[str, Any]
Hook = Callable[[str, About], None]


class Emit(NamedTuple):
    """An event on its way: to a room or several, what must be known of it, and the packet that clients get."""

    event: str
    room: Any
    about: About
    packet: str
    once: str | None = None  # its name, where it travels on several channels: a process takes it once


class Piece(list[Packet]):
    """Packets that a socket is sent together."""

    frames: bytes | None = None  # as they are written to a WebSocket, made by the first that is written to


class Delivering(Occupied):
    """The manager of rooms, with the writing to their sockets."""

    on_emit: Hook | None = None  # every emit that is delivered here, own or heard
    not_meant: Callable[[str, Any], list[str]] | None = None  # sockets here that must not hear an event

    def _hear(self, emits: Sequence[Emit]) -> None:
        """Deliver emits, several only of messages."""
        if self.on_emit is not None:
            for emit in emits:
                self.on_emit(emit.event, emit.about)
        self._deliver(emits, None)

    def _deliver(self, emits: Sequence[Emit], skipped: str | None) -> None:
        """Write to every socket here that is in an emit's room and meant."""
        if len(emits) == 1:
            self._write(emits[0].room, Piece([Packet(MESSAGE, emits[0].packet)]), self._apart(emits[0], skipped))
            return
        by_room: dict[Any, list[Emit]] = {}
        for emit in emits:
            by_room.setdefault(emit.room, []).append(emit)
        written = 0
        for room, those in by_room.items():
            if written >= WRITES_AT_ONCE:
                time.sleep(0)
                written = 0
            apart: list[str] = []
            piece, size = Piece(), 0
            for emit in those:
                also_apart = self._apart(emit, skipped)
                if piece and (also_apart != apart or size + len(emit.packet) > PIECE_MAX_CHARS):
                    written += self._write(room, piece, apart)
                    piece, size = Piece(), 0
                apart = also_apart
                piece.append(Packet(MESSAGE, emit.packet))
                size += len(emit.packet)
            written += self._write(room, piece, apart)

    def _write(self, room: Any, piece: Piece, apart: Iterable[str]) -> int:
        sockets, written = self.server.eio.sockets, 0
        for sid, eio_sid in self.get_participants("/", room):  # of a copy: a write may end a socket
            socket = sockets.get(eio_sid)
            if socket is not None and not socket.closed and sid not in apart:
                written += 1
                try:
                    socket.send_piece(piece)
                except Exception as error:  # noqa: BLE001 - one socket that ends must not keep the others from theirs
                    log.debug("a socket could not be written to: %s", error)
        return written

    def _apart(self, emit: Emit, skipped: str | None) -> list[str]:
        unmeant = self._not_meant(emit.event, emit.about)
        return [*unmeant, skipped] if skipped else unmeant

    def _not_meant(self, event: str, about: Any) -> list[str]:
        return self.not_meant(event, about) if self.not_meant is not None else []
