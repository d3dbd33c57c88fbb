"""The web process: `python wsgi.py`, or `wsgi:app` for another WSGI server.

The one place that knows eventlet and gevent (but for `app/sockets/loop.py`, without which sockets are merely slower), so
that leaving either is a change of ASYNC_MODE. The library's patches
must be in place before anything else is imported, hence the order of this file. With WEB_CONCURRENCY above 1 this
process only starts that many others on the same port and replaces those that die (`web_processes.py`).
"""

import gc
import os
import sys
import warnings

ASYNC_MODE = os.environ.get("ASYNC_MODE") or "eventlet"
# Set in the processes that serve: their number. The one that starts them needs no patches and no application.
WORKER = os.environ.get("PARLEY_WEB_WORKER")
PARENT = __name__ == "__main__" and WORKER is None and (os.environ.get("WEB_CONCURRENCY") or "1") != "1"

if ASYNC_MODE == "eventlet" and not PARENT:
    # Its own resolver ignores parts of the system's configuration; the pool is for argon2, 64 MB a thread.
    os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
    os.environ.setdefault("EVENTLET_THREADPOOL_SIZE", "4")
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")  # known; see the docstring
    import eventlet

    eventlet.monkey_patch()
    assert eventlet.patcher.is_monkey_patched("psycopg"), "a database call would stop every client"
elif ASYNC_MODE == "gevent" and not PARENT:
    import gevent.monkey

    gevent.monkey.patch_all()
    import psycogreen.gevent

    psycogreen.gevent.patch_psycopg()

if __name__ == "__main__" and not PARENT:
    gc.disable()  # what is imported stays, and looking for garbage in it took a sixth of the start; see `app/kernel/garbage.py`

# ruff: noqa: E402
import errno
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import web_processes
from config import Config, ConfigError, load_config

if TYPE_CHECKING:
    from flask import Flask

BACKLOG = 2048
REQUESTS_MAX = 10_000  # HTTP connections; open WebSockets are not among them (`app/sockets/loop.py`)
REQUEST_SOCKET_TIMEOUT_S = 60
GRACE_S = 8  # for clients and requests in flight; the rest of the ten seconds is for ending


def create() -> tuple[Config, "Flask"]:
    """Read the settings and build the application."""
    from app.extensions import set_offload  # noqa: PLC0415
    from app.factory import create_app  # noqa: PLC0415

    config = load_config()
    set_offload(_offload())
    return config, create_app(config, serving=True)


def _offload() -> Callable[..., Any]:
    """What runs a slow computation without stopping the other clients: f(function, *args, **kwargs)."""
    if ASYNC_MODE == "eventlet":
        import eventlet.tpool  # noqa: PLC0415

        execute: Callable[..., Any] = eventlet.tpool.execute
        return execute
    if ASYNC_MODE == "gevent":
        from gevent.threadpool import ThreadPool  # noqa: PLC0415

        pool = ThreadPool(4)
        return lambda function, *args, **kwargs: pool.apply(function, args, kwargs)
    return lambda function, *args, **kwargs: function(*args, **kwargs)


def serve(config: Config, app: "Flask") -> None:
    """Serve until SIGTERM or SIGINT, then drain, within ten seconds."""
    from app.factory import start_web  # noqa: PLC0415
    from app.kernel.garbage import calm_collector  # noqa: PLC0415

    listener = web_processes.listen(config, shared=config.web_concurrency > 1)
    listener.listen(BACKLOG)
    start_web(app)
    calm_collector()
    {"eventlet": _serve_eventlet, "gevent": _serve_gevent, "threading": _serve_threading}[config.async_mode](
        listener, app
    )


def _say_goodbye(app: "Flask") -> None:
    from app.factory import stop_web  # noqa: PLC0415

    # Whatever hangs, a deployment does not wait for it longer than this.
    overdue = _real_timer(GRACE_S + 1.5, lambda: os._exit(1))
    overdue.start()
    stop_web(app, grace_s=GRACE_S)


def _real_timer(seconds: float, function: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, function)
    timer.daemon = True
    return timer


# eventlet


class _Listener:
    """A listening socket that can stop accepting while its server goes on with the clients it has."""

    def __init__(self, green_socket: Any, door: Any) -> None:
        import eventlet.event  # noqa: PLC0415

        self._socket, self._door = green_socket, door
        self._released = eventlet.event.Event()
        self._closed = False

    def accept(self) -> Any:
        while not self._closed:
            try:
                found = (self._door or self._socket).accept()
                if found is not None:
                    return found
            except OSError:
                if not self._closed:
                    raise
        self._released.wait()
        raise OSError(errno.EPIPE, "closed")  # one of those by which eventlet's loop knows to end

    def close_to_new_clients(self) -> None:
        self._closed = True
        if self._door is None:
            self._socket.shutdown(socket.SHUT_RD)  # wakes accept(); close() would not
        (self._door or self._socket).close()

    def release(self) -> None:
        self._released.send()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


def _serve_eventlet(listener: socket.socket, app: "Flask") -> None:
    import engineio.socket  # noqa: PLC0415
    import eventlet.wsgi  # noqa: PLC0415

    from app.kernel import patience  # noqa: PLC0415
    from app.sockets import loop  # noqa: PLC0415
    from app.sockets.door import Door  # noqa: PLC0415

    loop.tune_websockets()
    patience.wait_with(loop.wait_ready)

    application = _without_timeout_for_websockets(app)
    green: Any = listener
    has_door = getattr(engineio.socket.Socket, "comes_by_door", False)
    doors = _Listener(green, Door(green.fd, application, wrap=type(green)) if has_door else None)
    server = eventlet.spawn(
        eventlet.wsgi.server,
        doors,
        application,
        max_size=REQUESTS_MAX,
        log_output=False,
        debug=False,  # True sends tracebacks to clients
        socket_timeout=REQUEST_SOCKET_TIMEOUT_S,
        protocol=loop.protocol(),
    )
    _wait_for_signal_eventlet()
    doors.close_to_new_clients()
    _say_goodbye(app)
    doors.release()
    with eventlet.Timeout(1, False):
        server.wait()


def _wait_for_signal_eventlet() -> None:
    """A handler may not block, and alone it would not wake the loop: it writes to a pipe that a greenlet reads."""
    import eventlet.hubs  # noqa: PLC0415
    from eventlet import patcher  # noqa: PLC0415

    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    patcher.original("signal").set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    eventlet.hubs.trampoline(reading, read=True)


def _without_timeout_for_websockets(app: "Flask") -> Callable[..., Iterable[bytes]]:
    """Slow requests are cut off; a WebSocket may be silent, and Socket.IO's pings look after it."""

    def serve_request(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("HTTP_UPGRADE", "").lower() == "websocket":
            environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)  # permessage-deflate costs 92 KB a client
            if "eventlet.input" in environ:
                environ["eventlet.input"].get_socket().settimeout(None)
        elif environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
            environ["wsgi.input_terminated"] = True  # eventlet ends it; without this the body would count as empty
        return app(environ, start_response)

    return serve_request


# gevent


def _serve_gevent(listener: socket.socket, app: "Flask") -> None:
    import gevent  # noqa: PLC0415
    from gevent.event import Event  # noqa: PLC0415
    from gevent.pool import Pool  # noqa: PLC0415
    from gevent.pywsgi import WSGIServer  # noqa: PLC0415

    stopping = Event()
    server = WSGIServer(listener, app, log=None, spawn=Pool(REQUESTS_MAX))
    server.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stopping.set)
    stopping.wait()
    server.close()
    _say_goodbye(app)
    server.stop(timeout=1)


# threads: for debuggers, and for tests of code that must not depend on either library


def _serve_threading(listener: socket.socket, app: "Flask") -> None:
    from werkzeug.serving import make_server  # noqa: PLC0415

    host, port = listener.getsockname()[:2]
    server = make_server(host, port, app, threaded=True, fd=listener.fileno())
    server.daemon_threads = True  # type: ignore[attr-defined]
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while not stopping.wait(1):
        pass
    threading.Thread(target=server.shutdown, daemon=True).start()
    _say_goodbye(app)


def main() -> None:
    """Serve, or keep the processes that do."""
    try:
        if PARENT:
            web_processes.WebProcesses(load_config(), __file__, grace_s=GRACE_S + 1.8).run()
            return
        serve(*create())
    except ConfigError as error:
        raise SystemExit(str(error)) from None
    finally:
        logging.shutdown()
    sys.stdout.flush()
    os._exit(0)  # drained: threads of libraries may not hold the process up


if __name__ == "__main__":
    main()
else:
    from app.factory import start_web

    app = create()[1]
    start_web(app)
