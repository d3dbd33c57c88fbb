"""The two Redis servers that come with the project.

The message log must not lose what was accepted: every write is on disk before it is answered, and nothing is evicted.
The cache may be lost at any time and is never written to disk.
"""

import signal
from typing import ClassVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from embedded.programs import redis_server
from embedded.server import Server

DATABASES = 128  # Parley needs one; each part of the tests takes another
COMMON = {
    "bind": "127.0.0.1",
    "protected-mode": "yes",
    "tcp-keepalive": "15",
    "save": '""',
    "daemonize": "no",
    "databases": str(DATABASES),
}


class Redis(Server):
    """A Redis (or Valkey) on 127.0.0.1 that asks for a password."""

    programs: ClassVar[tuple[str, ...]] = ("redis-server", "valkey-server")
    users: ClassVar[tuple[str, ...]] = ("default",)
    stop_signal: ClassVar[int] = signal.SIGTERM
    settings: ClassVar[dict[str, str]]

    @property
    def url(self) -> str:
        """The address, password included."""
        return self.address(self.password("default"), self.port)

    @staticmethod
    def address(password: str, port: int) -> str:
        """Put an address together."""
        return f"redis://:{password}@127.0.0.1:{port}/0"

    def prepare(self) -> None:
        """Make the folder of its files."""
        self.place.make_private(self.data)

    def command(self) -> list[str]:
        """The server, told its settings by standard input, for the password is among them."""
        return [str(redis_server(self.place.account)), "-"]

    def standard_input(self) -> bytes:
        """The settings."""
        own = {"port": str(self.port), "requirepass": self.password("default"), "dir": f'"{self.data}"'}
        return "".join(f"{key} {value}\n" for key, value in (COMMON | self.settings | own).items()).encode()

    def is_ready(self) -> bool:
        """Tell whether it answers; while it loads its log, it does not."""
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2, retry=Retry(NoBackoff(), 0)) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class RedisLog(Redis):
    """The message log: durable, refusing writes rather than losing any when it is full."""

    name: ClassVar[str] = "redis-log"
    settings: ClassVar[dict[str, str]] = {
        "appendonly": "yes",
        "appendfsync": "always",
        "no-appendfsync-on-rewrite": "no",
        "maxmemory": "1gb",  # full, it refuses, and messages go straight to PostgreSQL: better than the system's killer
        "maxmemory-policy": "noeviction",
    }


class RedisCache(Redis):
    """Everything that can be rebuilt: fan-out, presence, hot history, the job queue."""

    name: ClassVar[str] = "redis-cache"
    settings: ClassVar[dict[str, str]] = {
        "appendonly": "no",
        "maxmemory": "512mb",
        "maxmemory-policy": "volatile-lru",  # only what has a time to live: never a queued job
    }
