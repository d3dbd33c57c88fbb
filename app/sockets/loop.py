"""What direct sockets need of the event loop: to be told when a descriptor is ready, and to run what may wait.

Only eventlet's loop can do it here. With another one, or under a server of another make, ``take`` gives nothing and sockets
are the library's own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from app.sockets import http
from app.sockets.frames import unmask

log = logging.getLogger(__name__)
LEFT = "parley.leave_connection"
IDLE_MAX = 256
Job = Callable[[], None]
_idle: list[
    Any
] = []  # greenlets that wait for a job: what hangs on a greenlet (thread locals) is made once for many jobs


def protocol() -> type:
    """Give the class by which eventlet's WSGI server speaks HTTP, and which can leave a connection to somebody else."""
    import eventlet.wsgi  # noqa: PLC0415

    class Protocol(eventlet.wsgi.HttpProtocol):  # type: ignore[misc]
        is_left = False

        def parse_request(self) -> bool:
            found = http.head(self.raw_requestline, self.rfile.fp.peek())
            if found is None:
                return bool(super().parse_request())
            self.rfile.fp.read(found.size)
            self.command, self.path, self.headers = found.command, found.path, found.headers
            self.requestline, self.request_version = found.line, "HTTP/1.1"
            self.close_connection = found.headers.get("Connection", "").lower() == "close"
            return True

        def get_environ(self) -> dict[str, Any]:
            environ: dict[str, Any] = super().get_environ()
            environ[LEFT] = self.leave
            return environ

        def leave(self) -> None:
            self.is_left = True

        def finish(self) -> None:
            if not self.is_left:
                super().finish()
                return
            self.wfile.close()
            self.rfile.close()
            self.connection.close()  # this descriptor only: whoever took the connection has one of its own

    return Protocol


def tune_websockets() -> None:
    """Mend two habits of eventlet's WebSocket: unmasking byte by byte, and a size limit on frames but not on messages."""
    from eventlet.websocket import FailedConnectionError, RFC6455WebSocket  # noqa: PLC0415

    message = RFC6455WebSocket.Message
    push = message.push

    def bounded_push(self: Any, data: bytes, final: bool = False) -> None:
        self.received_bytes = getattr(self, "received_bytes", 0) + len(data)
        if self.received_bytes > self.max_frame_length:
            raise FailedConnectionError(1009, "The message is too large.")
        push(self, data, final=final)

    message.push = bounded_push
    RFC6455WebSocket._apply_mask = staticmethod(  # noqa: SLF001 -- what is wrong is private
        lambda data, mask, length=None, offset=0: unmask(data[:length], bytes(mask[offset % 4 :] + mask[: offset % 4]))
    )


def take(ws: Any) -> Any:
    """Take a WebSocket's connection from the HTTP server; gives the kernel's socket, or None where that cannot be.

    Not one of another kind than eventlet's, and not one whose frames are compressed.
    """
    leave = getattr(ws, "environ", {}).get(LEFT)
    raw: Any = getattr(getattr(ws, "socket", None), "fd", None)
    if leave is None or not hasattr(raw, "dup") or ws.version != 13 or ws.extensions:
        return None
    taken: Any = raw.dup()
    taken.setblocking(False)
    leave()
    ws.websocket_closed = True  # eventlet would say goodbye when its own part is over
    return taken


def when_readable(raw: Any, callback: Callable[[int], None]) -> Any:
    """Have a callback called, which must not wait, each time a socket can be read; gives what ends it."""
    return _watch(raw, "READ", callback)


def when_writable(raw: Any, callback: Callable[[int], None]) -> Any:
    """Have a callback called, which must not wait, as long as a socket takes more; gives what ends it."""
    return _watch(raw, "WRITE", callback)


def _watch(raw: Any, kind: str, callback: Callable[[int], None]) -> Any:
    from eventlet.hubs import get_hub  # noqa: PLC0415

    hub = get_hub()
    return hub.add(getattr(hub, kind), raw.fileno(), callback, _nothing, _nothing)


def _nothing(*_: Any) -> None:
    pass


def ignore(listener: Any) -> None:
    """Call a callback no more."""
    from eventlet.hubs import get_hub  # noqa: PLC0415

    try:
        get_hub().remove(listener)
    except KeyError:
        pass  # the loop found the descriptor dead before we did


def wait_ready(descriptor: int, timeout_s: float, for_reading: bool) -> None:
    """Wait until a descriptor is ready or the time is over; the others are served meanwhile."""
    from eventlet.hubs import trampoline  # noqa: PLC0415

    try:
        trampoline(descriptor, read=for_reading, write=not for_reading, timeout=timeout_s, timeout_exc=TimeoutError)
    except TimeoutError:
        pass


def later(seconds: float, job: Job) -> None:
    """Run a job, which must not wait, after some time."""
    from eventlet.hubs import get_hub  # noqa: PLC0415

    get_hub().schedule_call_global(seconds, job)


def start(job: Job) -> None:
    """Run a job that may wait: at once where the loop itself asks for it, else when it comes to it."""
    import greenlet  # noqa: PLC0415
    from eventlet.hubs import get_hub  # noqa: PLC0415

    hub = get_hub()
    if greenlet.getcurrent() is not hub.greenlet:
        hub.schedule_call_global(0, start, job)
    elif _idle:
        _idle.pop().switch(job)
    else:
        greenlet.greenlet(_work).switch(job)


def _work(job: Job) -> None:
    import greenlet  # noqa: PLC0415
    from eventlet.hubs import get_hub  # noqa: PLC0415

    while True:
        try:
            job()
        except Exception:
            log.exception("a socket's job failed")
        if len(_idle) >= IDLE_MAX:
            return
        _idle.append(greenlet.getcurrent())
        job = get_hub().greenlet.switch()
