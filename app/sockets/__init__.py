"""Socket.IO: parse an event, find the actor, call one verb, ack. Handlers run without a Flask context."""

from __future__ import annotations

from flask_socketio import SocketIO

from app.sockets import connections, events, transport


def register(socketio: SocketIO) -> None:
    """Put every handler on the Socket.IO server."""
    transport.install()
    connections.register(socketio.server)
    events.register(socketio.server)
