"""The port of the web process, and several processes that share it (WEB_CONCURRENCY above 1).

Knows neither the application nor its loops: each process is `wsgi.py` again, with its number in the environment.
"""

import errno
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from config import Config
from embedded.children import end_with_parent

RESTART_PAUSE_S = 1
log = logging.getLogger("parley.web")


def listen(config: Config, *, shared: bool) -> socket.socket:
    """Open the port. Shared, several processes of one user may, and the kernel spreads the clients over them."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Clients' sockets inherit it. Without it an ack right behind an event waits 40 ms for the client's kernel to confirm that.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((config.host, config.port))
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise SystemExit(f"Cannot listen on {config.host}:{config.port}: {error.strerror}.") from None
        raise SystemExit(f"Port {config.port} is in use: stop what uses it, or set PORT to another.") from None
    return listener


class WebProcesses:
    """The serving processes: as many as asked for, each replaced when it dies."""

    def __init__(self, config: Config, program: str, *, grace_s: float) -> None:
        self._program = Path(program).resolve()
        self._grace_s = grace_s
        self._reservation = self._reserve(config)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._count = config.web_concurrency
        self._stopping = threading.Event()

    def run(self) -> None:
        """Keep them running until SIGTERM or SIGINT, then end them."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        self._processes = [self._start(number) for number in range(self._count)]
        while not self._stopping.wait(0.2):
            self._replace_the_dead()
        self._stop()

    @staticmethod
    def _reserve(config: Config) -> socket.socket:
        listen(config, shared=False).close()  # refuses if another program has the port
        return listen(config, shared=True)  # bound and not listening: nobody else gets it, and no client comes here

    def _replace_the_dead(self) -> None:
        for number, process in enumerate(self._processes):
            if process.poll() is not None:
                log.error("web process %d ended with %d; another takes its place", number + 1, process.returncode)
                self._stopping.wait(RESTART_PAUSE_S)  # one that cannot start must not keep a core busy
                if not self._stopping.is_set():
                    self._processes[number] = self._start(number)

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, self._program],
            env={**os.environ, "PARLEY_WEB_WORKER": str(number + 1)},
            preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509
            start_new_session=True,
        )

    def _stop(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.terminate()
        end = time.monotonic() + self._grace_s
        for process in self._processes:
            try:
                process.wait(max(end - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
