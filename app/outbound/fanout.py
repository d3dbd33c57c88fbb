"""The Socket.IO manager: emits across processes through Redis pub/sub, without the library's long waits.

``RedisManager`` may block ten seconds in a publish, backs its listener off up to a minute and swallows failures. Here a
publish fails within the client's time-out and says so, the listener comes back within a second and says that too.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from redis.exceptions import RedisError
from socketio.pubsub_manager import PubSubManager

from app.extensions import CACHE, redis
from app.kernel import json
from app.kernel.breaker import Down
from app.outbound import bus

log = logging.getLogger(__name__)
BACK_OFF_S = 0.5
PING_EVERY_S = 0.4
SILENCE_MAX_S = 2.0
Hook = Callable[[dict[str, Any]], None]


class FanoutManager(PubSubManager):  # type: ignore[misc]
    """Emits to rooms of every web process. Hooks are set by the factory."""

    name = "parley"

    def __init__(self, *, channel: str = "parley:emits") -> None:
        super().__init__(channel=channel, json=json)
        self.on_emit: Hook | None = None  # every emit that is delivered here, own or heard
        self.on_unpublished: Hook | None = None  # an emit that the other processes have not been told of
        self.on_listening: Callable[[], None] | None = None  # subscribed, again: what was said meanwhile is lost
        self.not_meant: Callable[[str, Any], list[str]] | None = None  # sockets here that must not hear an event
        self.on_notice: Hook | None = None  # a notice of another process (``outbound/bus.py``)
        self.heard_at = 0.0

    def _handle_emit(self, message: dict[str, Any]) -> None:
        if self.on_emit is not None:
            self.on_emit(message)
        skipped = self._not_meant(message["event"], message["data"][0])
        if skipped:
            message = {**message, "skip_sid": skipped}
        super()._handle_emit(message)

    def emit(self, event: str, data: Any, namespace: str | None = None, room: Any = None, **more: Any) -> None:
        """Emit to every process, or with ``ignore_queue`` to this one; those not meant are left out on either way."""
        if more.get("ignore_queue"):
            more["skip_sid"] = self._not_meant(event, data) or more.get("skip_sid")
        super().emit(event, data, namespace=namespace, room=room, **more)

    def _not_meant(self, event: str, body: Any) -> list[str]:
        return self.not_meant(event, body) if self.not_meant is not None else []

    def _publish(self, data: dict[str, Any]) -> None:
        try:
            with CACHE.guard():
                redis.cache.publish(redis.channel(self.channel), json.dumps(data))
        except Down:
            if self.on_unpublished is not None:
                self.on_unpublished(data)

    def _listen(self) -> Iterator[bytes]:
        while True:
            try:
                yield from self._listen_once()
            except (RedisError, OSError) as error:
                log.warning("the emit channel is lost: %s", error)
            time.sleep(BACK_OFF_S)

    def _listen_once(self) -> Iterator[bytes]:
        client = redis.client(redis.url or "", timeout_s=SILENCE_MAX_S)
        pubsub = client.pubsub()
        try:
            pubsub.subscribe(redis.channel(self.channel), redis.channel(bus.CHANNEL))
            yield from self._messages(pubsub)
        finally:
            pubsub.close()
            client.close()

    def _messages(self, pubsub: Any) -> Iterator[bytes]:
        self.heard_at = asked_at = time.monotonic()
        while True:
            message = pubsub.get_message(timeout=PING_EVERY_S)
            now = time.monotonic()
            if message is not None:
                self.heard_at = now
                yield from self._heard_safely(message)
            if now - self.heard_at > SILENCE_MAX_S:
                raise OSError("no answer to a ping")
            if now - asked_at > PING_EVERY_S:
                asked_at = now
                pubsub.ping()

    def _heard_safely(self, message: dict[str, Any]) -> list[bytes]:
        try:
            return list(self._heard(message))
        except Exception:
            log.exception("something heard could not be acted on")
            return []

    def _heard(self, message: dict[str, Any]) -> Iterator[bytes]:
        if message["type"] == "message" and message["channel"] == redis.channel(self.channel).encode():
            yield message["data"]
        elif message["type"] == "message" and self.on_notice is not None:
            self.on_notice(json.loads(message["data"]))
        elif (
            message["type"] == "subscribe"
            and message["channel"] == redis.channel(self.channel).encode()
            and self.on_listening is not None
        ):
            self.on_listening()
