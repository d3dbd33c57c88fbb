"""What the harness breaks: servers of its own and a Parley on them, each part a process that can be killed and stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg2
import redis
from psycopg2 import sql

from embedded import Services
from embedded.redis import RedisLog
from embedded.server import Server
from tests.chaos.plug import Plug
from tests.support.stack import WORKER, Process, Stack, fresh_database

LAUNCHER = "tests/chaos/launcher.py"
BEAT = [
    sys.executable, "-m", "celery", "-A", "celery_worker", "beat", "--scheduler", "celery.beat:Scheduler",
    "--loglevel", "WARNING",
]  # fmt: skip
COMMANDS = {"web0": [sys.executable, "wsgi.py"], "web1": [sys.executable, "wsgi.py"], "worker": WORKER, "beat": BEAT}
PROCESSES = tuple(COMMANDS)
SERVERS = ("log", "cache", "postgres")
PARTS = (*PROCESSES, *SERVERS)


@dataclass(frozen=True)
class Unlike:
    """In what a Parley differs from an ordinary one: faults planted in its processes, settings of its servers."""

    plants: tuple[str, ...] = ()
    log_settings: Mapping[str, str] = field(default_factory=dict)
    database_settings: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Ground:
    """Two Redis, PostgreSQL, two web processes, a worker and a beat. Start servers from the thread that made it."""

    folder: Path
    mode: str
    services: Services
    stack: Stack
    processes: dict[str, Process]
    plug: Plug | None = None
    unsynced_bytes: int = 0
    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PARTS, 0))

    @classmethod
    def make(cls, folder: Path, *, plugged: bool = False) -> Ground:
        """Start the servers; ``become`` prepares the processes. Of a ``plugged`` one a blackout is a power cut."""
        services = Services(folder / "services", throwaway=True)
        plug = Plug.make(services.place.home / "plug") if plugged else None
        if plug is not None and services.postgres is not None:
            services.postgres.throwaway = False  # it syncs, as one that is to stay does
        with _watched(plug):
            services.start()
        env = services.test_env()
        stack = Stack.make(env, fresh_database(env, None), "behind", folder)
        stack.environ["CHAT_ACCESS_TOKEN_TTL_S"] = "86400"
        del stack.environ["REDIS_CONNECT_TIMEOUT"]  # the ordinary 300 ms: it is what is tried here
        return cls(folder, "behind", services, stack, {}, plug)

    def become(self, mode: str, unlike: Unlike | None = None) -> None:
        """Be a Parley of this mode, and unlike an ordinary one in this way; ``start`` starts it."""
        unlike = unlike or Unlike()
        self.end_processes()
        self._set_database(unlike.database_settings)
        log = self.server("log")
        assert isinstance(log, RedisLog)
        wanted = RedisLog.settings | dict(unlike.log_settings)
        if log.settings != wanted:
            log.stop()
            log.settings = wanted  # type: ignore[misc]
            self.start_again("log")
        self.redis("log").flushdb()
        self.redis("cache").flushdb()
        self.mode = mode
        environ = self.stack.environ | {"MESSAGE_WRITE_MODE": mode, "CHAOS_PLANTS": ",".join(unlike.plants)}
        ports = {f"web{number}": {"PORT": str(port)} for number, port in enumerate(self.stack.ports)}
        for name, command in COMMANDS.items():
            begun = _launched(command) if unlike.plants else command
            self.processes[name] = Process(begun, environ | ports.get(name, {}), self.folder / f"{name}.log")

    def _set_database(self, settings: Mapping[str, str]) -> None:
        with self.database() as cursor:
            name = sql.Identifier(self.stack.database)
            cursor.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(name))
            for key, value in settings.items():
                command = sql.SQL("ALTER DATABASE {} SET {} TO {}")
                cursor.execute(command.format(name, sql.Identifier(key), sql.Literal(value)))

    def start(self) -> None:
        """Start the processes and wait until the web processes are ready."""
        for process in self.processes.values():
            process.start()
        self.stack.wait_until_ready(within_s=60)

    def end_processes(self) -> None:
        """End the web processes, the worker and the beat."""
        for process in self.processes.values():
            process.signal(signal.SIGCONT)
            process.signal(signal.SIGTERM)
        for process in self.processes.values():
            process.stop()

    def close(self) -> None:
        """End everything; the files of the servers are deleted."""
        self.end_processes()
        for name in SERVERS:
            with contextlib.suppress(psutil.Error):
                self.go_on(name)
        self.services.stop()

    def server(self, part: str) -> Server:
        """Give one of the servers."""
        found = {"log": self.services.redis_log, "cache": self.services.redis_cache, "postgres": self.services.postgres}
        server = found[part]
        assert server is not None
        return server

    def is_running(self, part: str) -> bool:
        """Tell whether a part's process is there."""
        return self.processes[part].alive if part in self.processes else self.server(part).is_running()

    # What can be done to a part.

    def kill(self, part: str) -> None:
        """Kill -9 all of it."""
        self.kills[part] += 1
        if part in self.processes:
            self.processes[part].kill()
            return
        server = self.server(part)
        for process in reversed(self._tree(part)):
            with contextlib.suppress(psutil.Error):
                process.kill()
        server.stop(grace_s=5)

    def start_again(self, part: str) -> None:
        """Bring a killed part back; a server is there when this returns, a process some seconds later."""
        if part in self.processes:
            self.processes[part].start()
            return
        with _watched(self.plug):
            self.server(part).start()

    def pull_plug(self) -> None:
        """Take from the killed servers' files what was not synced, where this ground has a plug."""
        if self.plug is not None:
            self.unsynced_bytes += self.plug.pull(self.services.place.home)

    def stop(self, part: str) -> None:
        """SIGSTOP: alive and silent, which is worse than dead."""
        self._signal(part, signal.SIGSTOP)

    def go_on(self, part: str) -> None:
        """SIGCONT."""
        self._signal(part, signal.SIGCONT)

    def crash_backend(self) -> None:
        """Kill one of PostgreSQL's own processes: it ends all sessions and recovers by itself."""
        with contextlib.suppress(psutil.Error, StopIteration):
            next(p for p in self._tree("postgres") if "parley_app" in " ".join(p.cmdline())).kill()
        self.kills["postgres"] += 1

    def _signal(self, part: str, number: int) -> None:
        if part in self.processes:
            self.processes[part].signal(number)
            return
        for process in self._tree(part):
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)

    def _tree(self, part: str) -> list[psutil.Process]:
        pid = self.server(part).pid
        if pid is None:
            return []
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]

    # Looking inside.

    def redis(self, part: str) -> redis.Redis:
        """Connect to one of the Redis."""
        key = {"log": "MESSAGE_LOG_REDIS_URL", "cache": "REDIS_URL"}[part]
        return redis.Redis.from_url(self.stack.environ[key], socket_timeout=5)

    @contextlib.contextmanager
    def database(self) -> Iterator[psycopg2.extensions.cursor]:
        """Look into the database as a superuser, past row security."""
        base = self.stack.services["PARLEY_TEST_SUPERUSER_URL"].rpartition("/")[0]
        connection = psycopg2.connect(f"{base}/{self.stack.database}", connect_timeout=5)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def wait_until_ready(self, *, within_s: float = 60) -> float:
        """Wait until everything answers again; gives the seconds it took."""
        began = time.monotonic()
        self.stack.wait_until_ready(within_s=within_s)
        return time.monotonic() - began


def _watched(plug: Plug | None) -> contextlib.AbstractContextManager[None]:
    return plug.preloaded() if plug is not None else contextlib.nullcontext()


def _launched(command: list[str]) -> list[str]:
    """Have a command of ours begin in the launcher, which plants the faults first."""
    return [command[0], os.fspath(LAUNCHER), *(command[1:] if command[1] != "-m" else command[2:])]
