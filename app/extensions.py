"""The bare extensions, unconfigured until the factory binds them; everything above reaches I/O through these."""

from __future__ import annotations

import _socket  # as it is: an event loop replaces the other's class by its own, which would think that a descriptor is its
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import orjson
import psycopg2
import redis as redis_py
from celery import Celery
from flask_migrate import Migrate
from flask_socketio import SocketIO
from psycopg2 import extensions as driver
from redis._parsers.hiredis import _HiredisParser
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase

from app.kernel import patience
from app.kernel.breaker import Breaker

T = TypeVar("T")
REDIS_AWAY = (redis_py.RedisError, OSError)
LOG = Breaker("the message log's Redis", REDIS_AWAY)
CACHE = Breaker("the cache's Redis", REDIS_AWAY)
DATABASE = Breaker("the database", ())
HASTE = 3  # the part of its time that a Redis is given where the other has just gone away
Client = Any  # redis.Redis; its own annotations mix what the decoding and the asynchronous clients give


class Parser(_HiredisParser):
    """Reads Redis' answers; whether a connection is still good, it finds out by a look at the socket.

    The library asks ``select`` before every command, which under eventlet is a turn of the whole loop.
    """

    def can_read(self, timeout: float = 0) -> bool:
        """Tell whether something waits to be read; raises redis.ConnectionError where the server has hung up."""
        raw, reader = getattr(self._sock, "fd", None), cast("Any", self._reader)
        if raw is None or timeout or reader is None or reader.has_data():  # no socket of eventlet's, or no need
            return bool(super().can_read(timeout))
        try:
            found: bytes = raw.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return False
        if not found:
            raise redis_py.ConnectionError("the server has closed the connection")
        return True


class FrugalConnection(driver.connection):  # type: ignore[misc]
    """Begins nothing by itself: who has something to ask sends BEGIN with it, and may send COMMIT with the last of it.

    The driver sends each in a round trip of its own. What is left open is still committed or rolled back as asked.
    """

    def commit(self) -> None:
        """Commit what is open."""
        self._end("COMMIT")

    def rollback(self) -> None:
        """Undo what is open."""
        self._end("ROLLBACK")

    def _end(self, statement: str) -> None:
        if self.get_transaction_status() != driver.TRANSACTION_STATUS_IDLE:
            with self.cursor() as cursor:
                cursor.execute(statement)


class Base(DeclarativeBase):
    """The declarative base of every table."""


@dataclass
class Database:
    """The engine of the application's role; ``metadata`` is what Flask-Migrate compares."""

    metadata = Base.metadata
    _engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """Give the engine; raises RuntimeError before ``bind``."""
        if self._engine is None:
            raise RuntimeError("the database is not bound; create_app does that")
        return self._engine

    def bind(self, url: str, *, pool_size: int = 10, statement_timeout_ms: int = 4_000) -> None:
        """Make the engine. Every session ends a silent transaction and notices a dead peer (design section 2.4)."""
        if self._engine is not None:
            self._engine.dispose()
        self._engine = make_engine(url, pool_size=pool_size, statement_timeout_ms=statement_timeout_ms)


def make_engine(url: str, *, pool_size: int, statement_timeout_ms: int) -> Engine:
    """Make an engine with the time-outs that every Parley session has; ``models.transaction`` begins its transactions."""
    engine = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=3,
        pool_pre_ping=False,
        hide_parameters=True,  # an error must not carry what somebody wrote into the log
        pool_use_lifo=True,
        use_native_hstore=False,  # nothing here is one, and to look whether it might be costs each process a transaction
        json_deserializer=orjson.loads,  # gives back what it was given: PostgreSQL writes 1e20 as a whole number
        connect_args={
            "connection_factory": FrugalConnection,
            "options": session_options(statement_timeout_ms),
            "connect_timeout": 3,
            "application_name": "parley",
            "keepalives": 1,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 2,
            "tcp_user_timeout": 6000,
        },
    )
    event.listen(engine, "checkout", _look)
    return engine


def session_options(statement_timeout_ms: int) -> str:
    """Say what every Parley session is told, whatever the server's own settings are.

    A stopped process holds no lock for longer than two seconds. And the plans are those that are tested: reached by indexes, as
    disks are solid-state today, and not compiled, which would take longer than our short statements do.
    """
    return (
        f"-c statement_timeout={statement_timeout_ms} -c lock_timeout={statement_timeout_ms}"
        " -c idle_in_transaction_session_timeout=2000 -c timezone=UTC -c random_page_cost=1.1 -c jit=off"
    )


def _look(connection: Any, *_: object) -> None:
    """Have a pool replace its connections where this one has ended: a server that was restarted costs nobody an error.

    The library would ask a question before each transaction. But an idle connection has nothing to read, unless its end.
    """
    if connection.closed:
        raise InvalidatePoolError
    raw = _socket.socket(fileno=connection.fileno())
    try:
        raw.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except (BlockingIOError, InterruptedError):
        return
    except OSError as error:
        raise InvalidatePoolError from error
    finally:
        raw.detach()
    raise InvalidatePoolError


@dataclass
class Redis:
    """Two clients: ``log`` keeps what is accepted, ``cache`` all that can be rebuilt. They may be one server.

    Where one has gone away, the other may have gone with it: until it has answered it gets a third of the time, so that who
    has waited for the first does not wait as long again.
    """

    url: str | None = None
    log_url: str | None = None
    _log: tuple[Client, Client] | None = None  # one with all the time, and one in haste
    _cache: tuple[Client, Client] | None = None
    timeout_s: float = 0.3

    def bind(self, url: str | None, log_url: str | None, *, timeout_s: float) -> None:
        """Make the clients; nothing connects yet. Without a URL there is no Redis and the database serves alone."""
        self.url, self.log_url, self.timeout_s = url, log_url or url, timeout_s
        self._cache = self._clients(url) if url else None
        self._log = self._clients(self.log_url) if self.log_url else None

    def _clients(self, url: str) -> tuple[Client, Client]:
        return self.client(url), self.client(url, timeout_s=self.timeout_s / HASTE)

    def client(self, url: str, *, timeout_s: float | None = None) -> Client:
        """Make a client that fails fast and never retries by itself: a retried XADD could add twice."""
        return redis_py.Redis.from_url(
            url,
            socket_timeout=timeout_s or self.timeout_s,
            socket_connect_timeout=min(self.timeout_s, timeout_s or self.timeout_s),
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
            retry_on_error=[],
            health_check_interval=0,
            max_connections=200,
            protocol=2,
            parser_class=Parser,
        )

    def channel(self, name: str) -> str:
        """Name a pub/sub channel of this installation: unlike keys, Redis shares channels between its databases."""
        return f"{name}@{self.cache.connection_pool.connection_kwargs.get('db') or 0}"

    @property
    def log(self) -> Client:
        """Give the message log's client; raises redis.ConnectionError where none is configured."""
        if self._log is None:
            raise redis_py.ConnectionError("no Redis is configured")
        return self._log[CACHE.lost_at > LOG.answered_at]

    @property
    def cache(self) -> Client:
        """Give the cache's client; raises redis.ConnectionError where none is configured."""
        if self._cache is None:
            raise redis_py.ConnectionError("no Redis is configured")
        return self._cache[LOG.lost_at > CACHE.answered_at]


@dataclass
class Offload:
    """Runs a blocking, CPU-heavy call off the event loop; ``wsgi.py`` says how for its kind of loop."""

    run: Callable[..., Any] = field(default=lambda call, *args: call(*args))

    def __call__(self, call: Callable[..., T], *args: Any) -> T:
        """Run ``call(*args)`` and give its result."""
        result: T = self.run(call, *args)
        return result


db = Database()
redis = Redis()
offload = Offload()
migrate = Migrate()
socketio = SocketIO()
celery = Celery("parley")


def set_offload(run: Callable[..., Any]) -> None:
    """Say how this process runs a blocking call off its event loop."""
    offload.run = run


class Silent(psycopg2.OperationalError):  # type: ignore[misc]
    """The database has kept a caller waiting for longer than it may."""


def limit_database_waits(limit_s: float = 5.0) -> None:
    """Have every database call of this process fail within this time, even where the server does not answer at all."""
    driver.set_wait_callback(patience.limited(limit_s, reads=driver.POLL_READ, writes=driver.POLL_WRITE, error=Silent))
