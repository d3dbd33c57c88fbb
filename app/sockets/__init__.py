"""Socket.IO: parse an event, find the actor, call one verb, ack. Handlers run without a Flask context."""

from __future__ import annotations

from flask_socketio import SocketIO

from app.kernel.settings import settings
from app.sockets import connections, direct, events, transport


def register(socketio: SocketIO) -> None:
    """Put every handler on the Socket.IO server."""
    transport.install(direct.DirectSocket if settings().fast_path else transport.BoundedSocket)
    connections.register(socketio.server)
    events.register(socketio.server)
