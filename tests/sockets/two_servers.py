"""A small Socket.IO server, with the library's sockets or with the direct ones: `python two_servers.py direct|library PORT`."""

# ruff: noqa: E402 - the library's patches come first, and the project's folder is named on the command line
import os
import socket
import sys

import eventlet

eventlet.monkey_patch()
sys.path.insert(0, sys.argv[3])

import engineio.socket
import eventlet.wsgi
import socketio

from app.extensions import socketio as ours
from app.kernel import json, limits
from app.sockets import direct, door, loop

limits.CLIENTS_MAX = int(os.environ.get("CLIENTS_MAX") or limits.CLIENTS_MAX)
KINDS = {"direct": direct.DirectSocket, "library": engineio.socket.Socket}
engineio.socket.Socket = KINDS[sys.argv[1]]
server = socketio.Server(
    async_mode="eventlet", async_handlers=False, json=json, ping_interval=2, ping_timeout=4, http_compression=False,
    max_http_buffer_size=64 * 1024,
)  # fmt: skip
ours.server = server


@server.on("echo")
def echo(sid, *payload):
    return {"ok": True, "given": list(payload)}


@server.on("all")
def to_all(sid, size, count, pause_s=0.02):
    """Send everybody many large events, beside the sender's own. Who reads none of a megabyte is cut."""

    def send():
        for number in range(count):
            server.emit("big", {"number": number, "filler": "é" * (size // 2)})
            eventlet.sleep(pause_s)
        server.emit("done", {})

    server.start_background_task(send)
    return {"ok": True}


@server.on("*")
def unknown(event, sid, *payload):
    return {"ok": False, "unknown": event}


@server.on("bytes")
def to_bytes(sid, payload):
    return {"size": len(payload["data"])}


@server.on("leave")
def leave(sid):
    server.disconnect(sid)


@server.on("how-many")
def how_many(sid):
    return len(server.eio.sockets)


if sys.argv[1] == "direct":
    import threading

    eventlet.spawn(direct.run_pings, threading.Event())
listener = eventlet.listen(("127.0.0.1", int(sys.argv[2])), backlog=64)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)  # clients inherit it: what they do not read waits here
application = socketio.WSGIApp(server)


class Doors:
    """As in `wsgi.py`: what the door leaves to the server."""

    def __init__(self):
        door.SILENT_S = 1
        self.accept = door.Door(listener.fd, application, wrap=type(listener)).accept

    def __getattr__(self, name):
        return getattr(listener, name)


comes_from = Doors() if sys.argv[1] == "direct" else listener
eventlet.wsgi.server(comes_from, application, log_output=False, protocol=loop.protocol())
