"""A running Parley for tests: real processes on loopback, each of which can be killed and started again."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import redis
from psycopg2 import sql

from embedded.children import free_port
from embedded.redis import DATABASES

ROOT = Path(__file__).parents[2]
# Each stack of a run has a Redis database of its own: two that live at once would drain each other's log. A server of another
# make has 16 as a rule, and a long run comes round to those of stacks that are gone, or so it is hoped.
_numbers = itertools.cycle(range(1, 16 if os.environ.get("TEST_REDIS_URL") else DATABASES))
ROLES = ("parley_owner", "parley_app")
PASSWORD = "only-for-tests"


def redis_number() -> int:
    """Take the next numbered database of the tests' Redis, emptied by whoever used it or by ``Stack.make``."""
    return next(_numbers)


def until(condition: Callable[[], object], *, within_s: float = 10, what: str = "the condition") -> object:
    """Wait for a condition and give its value; fails when the time is over."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come true within {within_s} s")


def database_url(services: dict[str, str], role: str, name: str) -> str:
    """Give a role's address of a database."""
    known = {"parley_owner": "DATABASE_OWNER_URL", "parley_app": "DATABASE_URL"}.get(role, "")
    parts = urlsplit(services.get(known) or services["PARLEY_TEST_SUPERUSER_URL"])
    host = parts.netloc.rpartition("@")[2]
    user = parts.netloc.rpartition("@")[0] if services.get(known) else f"{role}:{PASSWORD}"
    return urlunsplit(parts._replace(netloc=f"{user}@{host}", path=f"/{name}"))


def fresh_database(services: dict[str, str], template: str | None) -> str:
    """Make a database owned by the owner role: a copy of a template, else an empty one that is migrated."""
    name = f"parley_test_{uuid.uuid4().hex[:10]}"
    connection = psycopg2.connect(services["PARLEY_TEST_SUPERUSER_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        if "DATABASE_URL" not in services:
            _make_roles(cursor)
        source = sql.Identifier(template or "template0")
        cursor.execute(
            sql.SQL("CREATE DATABASE {} OWNER parley_owner TEMPLATE {}").format(sql.Identifier(name), source)
        )
    connection.close()
    if template is None:
        environ = environment(services, name) | {"MESSAGE_WRITE_MODE": "auto"}
        subprocess.run(
            [sys.executable, "-m", "app.cli", "migrate"], env=environ, cwd=ROOT, check=True, capture_output=True
        )
    return name


def _make_roles(cursor: psycopg2.extensions.cursor) -> None:
    for role in ROLES:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
        verb = "ALTER" if cursor.fetchone() else "CREATE"
        command = sql.SQL(verb + " ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD {}")
        cursor.execute(command.format(sql.Identifier(role), sql.Literal(PASSWORD)))


def environment(services: dict[str, str], database: str) -> dict[str, str]:
    """Give the variables of a process of Parley on a test database."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CHAT_") and k not in ("WEB_CONCURRENCY", "PORT")}
    return {
        **clean,
        "DATABASE_URL": database_url(services, "parley_app", database),
        "DATABASE_OWNER_URL": database_url(services, "parley_owner", database),
        "REDIS_URL": services["REDIS_URL"],
        "MESSAGE_LOG_REDIS_URL": services["MESSAGE_LOG_REDIS_URL"],
        "SECRET_KEY": "only-for-tests-" + "x" * 32,
        "CHAT_ENV": "test",
        "RATE_LIMITS_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
        "REDIS_CONNECT_TIMEOUT": "3000",  # a slow machine is not a lost Redis
        "PYTHONWARNINGS": "ignore",
    }


@dataclass
class Process:
    """One process of a stack."""

    command: list[str]
    environ: dict[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as output:
            self.running = subprocess.Popen(
                self.command, env=self.environ, cwd=ROOT, stdout=output, stderr=output, start_new_session=True
            )

    @property
    def alive(self) -> bool:
        """Tell whether it runs."""
        return self.running is not None and self.running.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal to it and the processes it started."""
        if self.running is not None and self.running.poll() is None:
            os.killpg(self.running.pid, number)

    def kill(self) -> None:
        """Kill -9, as a power switch would."""
        self.signal(signal.SIGKILL)
        if self.running is not None:
            self.running.wait(10)

    def stop(self) -> None:
        """Ask it to end; kill it where it does not within 15 s."""
        self.signal(signal.SIGTERM)
        if self.running is not None:
            try:
                self.running.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()


@dataclass
class Stack:
    """Web processes on ports of their own (as on several machines), and a worker."""

    services: dict[str, str]
    database: str
    environ: dict[str, str]
    folder: Path
    ports: list[int]
    webs: list[Process] = field(default_factory=list)
    worker: Process | None = None
    own: dict[str, dict[str, str]] = field(default_factory=dict)  # what is set otherwise for one process, by its name

    @classmethod
    def make(cls, services: dict[str, str], template: str, mode: str, folder: Path, *, webs: int = 2) -> Stack:
        """Prepare a stack on a database and Redis databases of its own."""
        database = fresh_database(services, template)
        number = redis_number()
        environ = environment(services, database) | {
            "MESSAGE_WRITE_MODE": mode,
            "CHAT_UPLOADS_PATH": str(folder / "uploads"),
            "CHAT_INSTANCE_PATH": str(folder / "instance"),
        }
        for key in ("REDIS_URL", "MESSAGE_LOG_REDIS_URL"):
            environ[key] = urlunsplit(urlsplit(environ[key])._replace(path=f"/{number}"))
        _empty(environ["REDIS_URL"])
        _empty(environ["MESSAGE_LOG_REDIS_URL"])
        return cls(services, database, environ, folder, [free_port() for _ in range(webs)])

    @property
    def urls(self) -> list[str]:
        """The addresses of the web processes."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    @property
    def url(self) -> str:
        """The address of the first web process."""
        return self.urls[0]

    def start(self) -> None:
        """Start everything and wait until it is ready."""
        self.webs = [self._web(number) for number in range(len(self.ports))]
        self.worker = self._process("worker", WORKER, {})
        for process in [*self.webs, self.worker]:
            process.start()
        self.wait_until_ready()

    def _web(self, number: int) -> Process:
        return self._process(f"web{number}", [sys.executable, "wsgi.py"], {"PORT": str(self.ports[number])})

    def _process(self, name: str, command: list[str], more: dict[str, str]) -> Process:
        return Process(command, self.environ | self.own.get(name, {}) | more, self.folder / f"{name}.log")

    def wait_until_ready(self, *, within_s: float = 30) -> None:
        """Wait until every web process says that it is ready."""
        for number, url in enumerate(self.urls):
            until(
                lambda url=url: _answers(url + "/readyz"), within_s=within_s, what=f"web {number}: {self.logs(number)}"
            )

    def logs(self, number: int = 0) -> str:
        """The last lines that a web process wrote."""
        path = self.folder / f"web{number}.log"
        return path.read_text()[-2000:] if path.exists() else ""

    def stop(self) -> None:
        """Stop everything in order, as an operator would."""
        for process in self._processes:
            process.signal(signal.SIGTERM)
        for process in self._processes:
            process.stop()

    def end(self) -> None:
        """End everything at once: nobody is there any more whom an end in order would serve."""
        for process in self._processes:
            process.kill()

    @property
    def _processes(self) -> list[Process]:
        return [*self.webs, *([self.worker] if self.worker else [])]


WORKER = [
    sys.executable, "-m", "celery", "--quiet", "-A", "celery_worker", "worker", "--pool", "threads", "--concurrency", "2",
    "--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat",
]  # fmt: skip


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _empty(url: str) -> None:
    redis.Redis.from_url(url).flushdb()
