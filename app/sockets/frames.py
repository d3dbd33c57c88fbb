"""WebSocket frames (RFC 6455 section 5): made for clients, and put together again from what clients send."""

from __future__ import annotations

import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
CONTINUATION = 0
FINAL, MASKED = 0x80, 0x80
CONTROL_MAX_BYTES = 125
NORMAL, PROTOCOL_ERROR, NOT_TEXT, TOO_LARGE = 1000, 1002, 1007, 1009
Frame = tuple[int, bool, bytes]  # kind, whether it is the last of its message, body
Message = tuple[int, bytes]  # kind, body


class Broken(Exception):
    """A client does not speak the protocol; ``code`` is what it is told when it is hung up on."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def make(kind: int, body: bytes) -> bytes:
    """Give a server's frame: unmasked and whole."""
    size = len(body)
    if size < 126:
        return bytes((FINAL | kind, size)) + body
    if size < 65_536:
        return struct.pack("!BBH", FINAL | kind, 126, size) + body
    return struct.pack("!BBQ", FINAL | kind, 127, size) + body


def of_text(body: str) -> bytes:
    """Give the frame of a text message."""
    return make(TEXT, body.encode())


def closing(code: int) -> bytes:
    """Give the frame that ends a conversation."""
    return make(CLOSE, code.to_bytes(2, "big"))


def split(held: bytes, *, most: int) -> tuple[list[Frame], bytes]:
    """Take the whole frames off what has arrived; gives them and what is left. Raises Broken, also for one that is too long."""
    frames: list[Frame] = []
    at, end = 0, len(held)
    while end - at >= 2:
        first, second = held[at], held[at + 1]
        kind, size, start = first & 0x0F, second & 0x7F, at + 2
        if first & 0x70 or not second & MASKED:
            raise Broken(PROTOCOL_ERROR)
        if kind >= CLOSE and (size > CONTROL_MAX_BYTES or not first & FINAL):
            raise Broken(PROTOCOL_ERROR)
        if size >= 126:
            start = at + (4 if size == 126 else 10)
            if end < start:
                break
            size = int.from_bytes(held[at + 2 : start], "big")
        if size > most:
            raise Broken(TOO_LARGE)
        body_at = start + 4
        if end < body_at + size:
            break
        at = body_at + size
        frames.append((kind, bool(first & FINAL), unmask(held[body_at:at], held[start:body_at])))
    return frames, held[at:] if at else held


def unmask(data: bytes, mask: bytes) -> bytes:
    """Undo a client's mask with one exclusive-or of two big integers."""
    size = len(data)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


class Assembly:
    """The pieces of a message whose last one is still to come."""

    __slots__ = ("_bytes", "_kind", "_pieces")

    def __init__(self, kind: int, body: bytes) -> None:
        self._kind, self._pieces, self._bytes = kind, [body], len(body)

    def add(self, body: bytes, *, most: int) -> None:
        """Add a piece; raises Broken where they are too long together."""
        self._bytes += len(body)
        if self._bytes > most:
            raise Broken(TOO_LARGE)
        self._pieces.append(body)

    def whole(self) -> Message:
        """Give the message."""
        return self._kind, b"".join(self._pieces)
