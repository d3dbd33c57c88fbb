"""Socket.IO: parse an event, find the actor, call one verb, ack. Handlers run without a Flask context."""

from __future__ import annotations

from flask_socketio import SocketIO

from app.sockets import connections, events


def register(socketio: SocketIO) -> None:
    """Put every handler on the Socket.IO server."""
    connections.register(socketio.server)
    events.register(socketio.server)
