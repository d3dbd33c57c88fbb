"""What is taken from a client's bytes is what wsproto, another implementation of RFC 6455, takes from them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Message, Ping, TextMessage
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from app.sockets import frames
from app.sockets.wire import Wire

pytestmark = pytest.mark.fast
MOST = 2000
Taken = list[tuple[str, object]]

bodies = st.one_of(st.text(max_size=200), st.binary(max_size=200))
spoken = st.lists(st.tuples(bodies, st.integers(1, 4), st.booleans()), max_size=6)


class Ours(Wire):
    """A wire whose other end is a list."""

    def __init__(self) -> None:
        self.taken: Taken = []
        self.most_bytes, self.waiting_bytes = MOST, 0

    def write(self, frame: bytes) -> None:
        """Note what a client would be told."""
        if frame[0] & 0x0F == frames.PONG:
            self.taken.append(("ping", frame[2:]))

    def _put(self, received: object) -> None:
        if received is not None:
            self.taken.append(("message", received))


def ours(data: bytes, sizes: list[int]) -> tuple[Taken, bool]:
    wire = Ours()
    try:
        for piece in cut(data, sizes):
            wire._take_all(piece)
    except (frames.Broken, EOFError):
        return wire.taken, True
    return wire.taken, False


def theirs(data: bytes, sizes: list[int]) -> tuple[Taken, bool]:
    """Take messages with wsproto; it gives the pieces of a message as they come."""
    server, taken, pieces = Connection(ConnectionType.SERVER), Taken(), list[object]()
    for piece in cut(data, sizes):
        try:
            server.receive_data(piece)
            for event in server.events():
                if isinstance(event, Ping):
                    taken.append(("ping", bytes(event.payload)))
                elif isinstance(event, (TextMessage, BytesMessage)):
                    pieces.append(event.data)
                    if event.message_finished:
                        whole = ("" if isinstance(event, TextMessage) else b"").join(pieces)  # type: ignore[arg-type]
                        taken.append(("message", bytes(whole) if isinstance(whole, bytearray) else whole))
                        pieces.clear()
                elif isinstance(event, CloseConnection):
                    return taken, True
        except (RemoteProtocolError, LocalProtocolError):
            return taken, True
    return taken, False


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    return [piece for piece in [*pieces, data[at:]] if piece]


def client_bytes(said: list[tuple[str | bytes, int, bool]]) -> bytes:
    """Write messages as a client does: in pieces, with pings between."""
    client, out = Connection(ConnectionType.CLIENT), b""
    for body, count, pings in said:
        step = max(1, -(-len(body) // count))
        pieces = [body[at : at + step] for at in range(0, len(body), step)] or [body]
        for number, piece in enumerate(pieces):
            out += client.send(Message(data=piece, message_finished=number == len(pieces) - 1))
            if pings:
                out += client.send(Ping(payload=b"there?"))
    return out


@settings(max_examples=60)
@given(said=spoken, sizes=st.lists(st.integers(1, 90), max_size=20))
def test_what_a_client_says_is_taken_as_it_was_said(
    said: list[tuple[str | bytes, int, bool]], sizes: list[int]
) -> None:
    data = client_bytes(said)
    taken, is_over = ours(data, sizes)
    assert (taken, is_over) == theirs(data, sizes)
    assert [body for kind, body in taken if kind == "message"] == [body for body, _, _ in said]


@given(said=spoken, sizes=st.lists(st.integers(1, 90), max_size=20), wrong=st.integers(0, 400), bit=st.integers(0, 7))
def test_what_is_damaged_ends_where_it_ends_for_another_implementation(
    said: list[tuple[str | bytes, int, bool]], sizes: list[int], wrong: int, bit: int
) -> None:
    data = bytearray(client_bytes(said))
    if not data:
        return
    data[wrong % len(data)] ^= 1 << bit
    mine, theirs_ = ours(bytes(data), sizes), theirs(bytes(data), sizes)
    if mine != theirs_:  # they find out what is wrong at other moments, and neither takes what the other does not
        shorter = min(len(mine[0]), len(theirs_[0]))
        assert mine[0][:shorter] == theirs_[0][:shorter]
        assert mine[1] or theirs_[1] or len(mine[0]) == len(theirs_[0])


def test_a_message_that_is_too_long_is_found_out_before_it_has_come() -> None:
    head = bytes((0x81, 0xFE)) + (MOST + 1).to_bytes(2, "big")
    with pytest.raises(frames.Broken) as found:
        frames.split(head, most=MOST)
    assert found.value.code == frames.TOO_LARGE
    pieces = frames.Assembly(frames.TEXT, b"x" * MOST)
    with pytest.raises(frames.Broken):
        pieces.add(b"x", most=MOST)


def test_frames_are_made_for_every_size() -> None:
    for size in (0, 125, 126, 65_535, 65_536):
        client = Connection(ConnectionType.CLIENT)
        client.receive_data(frames.make(frames.BINARY, b"x" * size))
        assert sum(len(event.data) for event in client.events() if isinstance(event, BytesMessage)) == size
