"""A Parley to measure: real servers with everything on disk, web processes and a worker, as `make run` has them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from embedded.children import end_with_parent, free_port
from embedded.services import Services

ROOT = Path(__file__).resolve().parent.parent
SECRET = "only-for-benchmarks-" + "b" * 32
READY_WITHIN_S = 60
WORKER = "-A celery_worker worker --pool threads --concurrency 2 --loglevel WARNING --without-gossip --without-mingle"


@dataclass
class Stack:
    """The processes of one Parley. ``pids`` names them by part, for whoever counts their time and memory."""

    environ: dict[str, str]
    port: int
    servers: dict[str, int]
    folder: Path
    superuser_url: str  # row security lets nobody else COPY
    web: subprocess.Popen[bytes] | None = None
    worker: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start web and worker, and wait until they answer."""
        self.web = self._process("web", [sys.executable, "wsgi.py"])
        self.worker = self._process("worker", [sys.executable, "-m", "celery", *WORKER.split()])
        self.wait_for(f"http://127.0.0.1:{self.port}/readyz", self.web)

    def wait_for(self, url: str, process: subprocess.Popen[bytes]) -> None:
        """Wait until a process answers."""
        end = time.monotonic() + READY_WITHIN_S
        while not _answers(url):
            if time.monotonic() > end or process.poll() is not None:
                raise SystemExit(f"A server did not start; its log in {self.folder} says why.")
            time.sleep(0.1)

    def pids(self) -> dict[str, int]:
        """Give the processes whose work is Parley's."""
        own = {name: p.pid for name, p in (("web", self.web), ("worker", self.worker)) if p is not None}
        return own | self.servers

    def stop(self) -> None:
        """End web and worker."""
        running = [p for p in (self.web, self.worker) if p is not None and p.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.web = self.worker = None

    def _process(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, env=self.environ, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509
            )  # fmt: skip


@contextmanager
def prepared(
    folder: Path, *, mode: str, webs: int = 1, port: int | None = None, given: dict[str, str] | None = None
) -> Iterator[Stack]:
    """Bring up the servers in a folder (or use those given), migrated; the stack that it yields is not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    with _servers(folder, given) as (addresses, pids):
        port = port or free_port()
        environ = environment(addresses, mode=mode, webs=webs, port=port)
        migrate = [sys.executable, "-m", "app.cli", "migrate"]
        subprocess.run(migrate, cwd=ROOT, env=environ, check=True, stdout=subprocess.DEVNULL)
        stack = Stack(environ, port, pids, folder, _superuser_of(addresses))
        try:
            yield stack
        finally:
            stack.stop()


@contextmanager
def _servers(folder: Path, given: dict[str, str] | None) -> Iterator[tuple[dict[str, str], dict[str, int]]]:
    if given is not None:
        yield given, {}
        return
    services = Services(folder)
    services.start()
    parts = (("postgres", services.postgres), ("log", services.redis_log), ("cache", services.redis_cache))
    try:
        yield services.test_env(), {name: part.pid for name, part in parts if part and part.pid}
    finally:
        services.stop()


def environment(addresses: dict[str, str], *, mode: str, webs: int, port: int) -> dict[str, str]:
    """Give a measured process's settings: production's, but for the rates, which would be what is measured."""
    clean = {key: text for key, text in os.environ.items() if not key.startswith("CHAT_")}
    return {
        **clean,
        **addresses,
        "SECRET_KEY": SECRET,
        "MESSAGE_WRITE_MODE": mode,
        "RATE_LIMITS_ENABLED": "false",
        "CHAT_CONNECTIONS_PER_ADDRESS": "100000",
        "CHAT_ACCESS_TOKEN_TTL_S": "864000",
        "WEB_CONCURRENCY": str(webs),
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
    }


def _superuser_of(addresses: dict[str, str]) -> str:
    own, superuser = urlsplit(addresses["DATABASE_URL"]), urlsplit(addresses["PARLEY_TEST_SUPERUSER_URL"])
    return urlunsplit(superuser._replace(path=own.path))


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - ours
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
