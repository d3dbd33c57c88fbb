"""Notices between processes: PostgreSQL's NOTIFY inside the transaction that makes them true, and Redis after it.

Each travels on both, so that a process that has lost one bus still hears; acting on one twice does nothing.

A payload ends at 8,000 bytes, so it names things and never carries them. Kinds: ``member`` (memberships of a conversation
changed), ``memberships`` (someone's of many conversations), ``session`` (revoked), ``profile`` (changed or banned), ``head``
(a conversation moved and Redis could not be told).
"""

from __future__ import annotations

import logging
import select
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import text

from app.extensions import CACHE, DATABASE, Silent, db, redis
from app.kernel import json, patience
from app.kernel.breaker import Down
from app.models import Transaction

log = logging.getLogger(__name__)
CHANNEL = "parley"  # in PostgreSQL and in Redis
HEARTBEAT_S = 0.4
SILENCE_MAX_S = 1.5
AGAIN_AFTER_S = 0.1  # who is removed meanwhile is given messages until it hears again
NOTIFY = text("SELECT pg_notify('parley', payload) FROM unnest(CAST(:payloads AS text[])) AS payload")
Notice = dict[str, Any]


def announce(tx: Transaction, kind: str, **names: Any) -> None:
    """Have every process hear this notice when, and only if, the transaction commits."""
    announce_all(tx, kind, [names])


def announce_all(tx: Transaction, kind: str, notices: Iterable[Mapping[str, Any]]) -> None:
    """Have every process hear these notices of a kind, in this order, when, and only if, the transaction commits."""
    payloads = [json.dumps({"kind": kind, **names}) for names in notices]
    tx.execute(NOTIFY, {"payloads": payloads})
    tx.after_commit(lambda: _publish(payloads))


def _publish(payloads: Sequence[str]) -> None:
    try:
        with CACHE.guard():
            pipe = redis.cache.pipeline(transaction=False)
            for payload in payloads:
                pipe.publish(redis.channel(CHANNEL), payload)
            pipe.execute()
    except Down:
        log.debug("the notice travels by the database alone")


class Listener:
    """One process's ear: calls ``on_notice`` for each notice and ``on_regained`` after any time it could not hear."""

    def __init__(self, on_notice: Callable[[Notice], None], on_regained: Callable[[], None]) -> None:
        self.on_notice, self.on_regained = on_notice, on_regained
        self.stopping = threading.Event()
        self.heard_at = 0.0
        self._is_lost = False

    def run(self) -> None:
        """Listen until told to stop; returns never otherwise."""
        while not self.stopping.is_set():
            try:
                self._listen()
            except Exception as error:  # noqa: BLE001 -- an ear that ends for ever would be worse than any of them
                self._lost(error)
            self.stopping.wait(AGAIN_AFTER_S)

    def _lost(self, error: Exception) -> None:
        """Note what was lost, once; that the server is silent is told to all who wait for it."""
        level, self._is_lost = logging.DEBUG if self._is_lost else logging.WARNING, True
        log.log(level, "the notices of the database are lost: %s", str(error).strip().split("\n")[0])
        if isinstance(getattr(error, "orig", error), Silent):
            patience.hopeless.set()
            DATABASE.failed(error)

    def _listen(self) -> None:
        with patience.at_most(SILENCE_MAX_S):
            connection = self._connect()
        self._is_lost = False
        try:
            self.on_regained()
            while not self.stopping.is_set():
                self._hear(connection)
        finally:
            connection.close()

    @staticmethod
    def _connect() -> Any:
        raw = db.engine.raw_connection()
        connection: Any = raw.driver_connection
        raw.detach()
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        patience.hopeless.clear()
        return connection

    def _hear(self, connection: Any) -> None:
        ready, _, _ = select.select([connection], [], [], HEARTBEAT_S)
        if ready:
            connection.poll()
        else:
            with patience.at_most(SILENCE_MAX_S), connection.cursor() as cursor:
                cursor.execute("SELECT 1")  # a half-open connection is found out here, and a server that hangs
        self.heard_at = time.monotonic()
        while connection.notifies:
            notice = json.loads(connection.notifies.pop(0).payload)
            try:
                self.on_notice(notice)
            except Exception:
                log.exception("a notice could not be acted on")
