"""The Socket.IO manager: emits across processes through Redis pub/sub, without the library's long waits.

``RedisManager`` may block ten seconds in a publish, backs its listener off up to a minute and swallows failures. Here a
publish fails within the client's time-out and says so, the listener comes back within a second and says that too.

An event is encoded once, in the process that emits it, and travels as the text that its receivers get; beside it goes what
the processes must know of it (``ABOUT``): a message between them is a line of JSON with that, and a line for each event's
text. What is emitted in a batch travels together, as one message to each conversation's channel: a process hears those of
its own sockets only (``outbound/ear.py``). With ``CHAT_FAST_PATH=off`` emits take the library's own way, on the channel that
all hear; either kind of process hears both.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from app.extensions import CACHE, redis
from app.kernel import json
from app.kernel.breaker import Down
from app.kernel.settings import settings
from app.outbound import bus
from app.outbound.delivering import About, Delivering, Emit
from app.outbound.ear import Ear, Heard, channel_of, has_shards, topic_of

log = logging.getLogger(__name__)
PUBLISH = (
    Path(__file__).with_name("publish.lua").read_text()
)  # one command for a batch: each costs a packing and a reading
BACK_OFF_S = 0.5
LOOK_EVERY_S = 0.25  # who begins to listen later than that tells the sockets here once more where things stand
SHARDS_LOOK_EVERY_S = 5.0
TOPICS_MAX = 16  # an event to more of them goes to all processes, once
REMEMBERED = 10_000
HEARS_TOPICS = "parley:topics"  # nothing is said on it: who listens to it hears topics
HERE = "parley:here:"  # nor on this, and its process's name: who is alone need not tell anybody
ALSO = b'{"also":'  # a copy for those who do not
ABOUT = ("id", "conversationId", "senderId", "seq", "changedSeq", "persisted", "createdAt", "userId", "customerId")


class Gathering(threading.local):
    """What this thread (or greenlet) has yet to publish together."""

    emits: list[Emit] | None = None
    told: list[tuple[str, bytes]]


class FanoutManager(Delivering):
    """Emits to rooms of every web process. Hooks are set by the factory."""

    name = "parley"

    def __init__(self, *, channel: str = "parley:emits") -> None:
        self._here = f"{HERE}{uuid4().hex}"
        super().__init__(Ear((channel, bus.CHANNEL, HEARS_TOPICS, self._here)), channel=channel, json=json)
        self.on_unpublished: Callable[[list[tuple[str, About]]], None] | None = (
            None  # the others were not told of these
        )
        self.on_notice: Callable[[dict[str, Any]], None] | None = None  # one of another process (``outbound/bus.py``)
        self._gathering = Gathering()
        self._own = f'{{"host_id":"{self.host_id}"'.encode()
        self._taken: dict[str, None] = {}
        self._names = itertools.count()
        self._looked_at = self._asked_for_shards_at = -SHARDS_LOOK_EVERY_S
        self._publish_verb, self._is_among_older, self._is_alone = "PUBLISH", False, False

    # emitting ---------------------------------------------------------------------------------------------------------
    def emit(self, event: str, data: Any, namespace: str | None = None, room: Any = None, **more: Any) -> None:
        """Emit to every process, or with ``ignore_queue`` to this one; those not meant are left out on either way."""
        room = more.pop("to", None) or room
        if not settings().fast_path or more.get("callback") is not None or not isinstance(data, dict):
            self._emit_as_the_library(event, data, namespace, room, more)
            return
        emit = Emit(event, room, _about(data), f"2{json.dumps([event, data])}")
        if more.get("ignore_queue"):
            self._deliver([emit], more.get("skip_sid"))
        else:
            self._hear([emit])
            self._gather([emit])

    def emit_encoded(self, event: str, bodies: Iterable[tuple[Mapping[str, Any], bytes, str]]) -> None:
        """Emit what has been encoded already to every process: several bodies of an event, each with its text and its room."""
        if not settings().fast_path:
            for data, _, room in bodies:
                self._emit_as_the_library(event, data, "/", room, {})
            return
        emits = [Emit(event, room, _about(data), f'2["{event}",{text.decode()}]') for data, text, room in bodies]
        self._hear(emits)
        self._gather(emits)

    def _emit_as_the_library(self, event: str, data: Any, namespace: Any, room: Any, more: dict[str, Any]) -> None:
        if more.get("ignore_queue"):
            more["skip_sid"] = self._not_meant(event, data) or more.get("skip_sid")
        super().emit(event, data, namespace=namespace, room=room, **more)

    # publishing -------------------------------------------------------------------------------------------------------
    @contextmanager
    def together(self) -> Iterator[None]:
        """Publish what is emitted and told in this block at its end, in one round trip."""
        waiting = self._gathering
        if waiting.emits is not None:
            yield
            return
        waiting.emits, waiting.told = [], []
        try:
            yield
        finally:
            emits, waiting.emits = waiting.emits, None
            self._publish_all(emits, waiting.told)

    def tell(self, channel: str, encoded: bytes) -> None:
        """Tell the operator's other services; who is not there hears nothing."""
        if self._gathering.emits is None:
            self._publish_all([], [(channel, encoded)])
        else:
            self._gathering.told.append((channel, encoded))

    def _gather(self, emits: list[Emit]) -> None:
        if self._gathering.emits is None:
            self._publish_all(emits, [])
        else:
            self._gathering.emits += emits

    def _publish_all(self, emits: list[Emit], told: list[tuple[str, bytes]]) -> None:
        if not emits and not told:
            return
        try:
            with CACHE.guard():
                self._look()
                emits = [] if self._is_alone else emits
                if not emits and not told:
                    return
                common = redis.channel(self.channel)
                by_topic = self._by_topic(emits)
                to_all = [(common, self._message(by_topic.pop(None)))] if None in by_topic else []
                if self._is_among_older and emits:
                    to_all.append((common, self._message(emits, also=True)))
                to_some = [(channel_of(topic), self._message(those)) for topic, those in by_topic.items() if topic]
                pairs = [part for pair in (*to_some, *to_all, *told) for part in pair]
                redis.cache.register_script(PUBLISH)(args=[self._publish_verb, len(to_some), *pairs])
        except Down:
            self._looked_at = -SHARDS_LOOK_EVERY_S
            self._unpublished([(emit.event, emit.about) for emit in emits])

    def _look(self) -> None:
        """Find out now and then who listens, and how: the server may be another one, a process older, newer, or the first."""
        now = time.monotonic()
        if now - self._asked_for_shards_at > SHARDS_LOOK_EVERY_S:
            self._publish_verb = "SPUBLISH" if has_shards(redis.cache.execute_command) else "PUBLISH"
            self._asked_for_shards_at = now
        if now - self._looked_at < LOOK_EVERY_S:
            return
        pipe = redis.cache.pipeline(transaction=False)
        pipe.pubsub_numsub(redis.channel(self.channel), redis.channel(HEARS_TOPICS))
        pipe.pubsub_channels(redis.channel(f"{HERE}*"))
        ((_, all_of_them), (_, newer)), here = pipe.execute()
        self._is_among_older = all_of_them > newer
        self._is_alone = not (self._is_among_older or newer > len(here)) and set(here) <= {
            redis.channel(self._here).encode()
        }
        self._looked_at = now

    def _by_topic(self, emits: list[Emit]) -> dict[str | None, list[Emit]]:
        found: dict[str | None, list[Emit]] = {}
        for emit in emits:
            rooms = emit.room if isinstance(emit.room, list) else (emit.room,)
            topics = {topic_of(room) for room in rooms}
            if None in topics or len(topics) > TOPICS_MAX:
                topics = {None}
            elif len(topics) > 1:
                emit = emit._replace(once=f"{self.host_id}{next(self._names)}")  # noqa: PLW2901
            for topic in topics:
                found.setdefault(topic, []).append(emit)
        return found

    def _message(self, emits: list[Emit], *, also: bool = False) -> str:
        if also:
            return json.dumps({"also": True, "emits": [tuple(emit)[:4] for emit in emits]})
        heading = {"host_id": self.host_id, "emits": [(e.event, e.room, e.about, e.once) for e in emits]}
        return "\n".join([json.dumps(heading), *[emit.packet for emit in emits]])

    def _publish(self, data: dict[str, Any]) -> None:
        """Publish a message of the library's own kind."""
        try:
            with CACHE.guard():
                redis.cache.publish(redis.channel(self.channel), json.dumps(data))
        except Down:
            if data.get("method") == "emit":
                self._unpublished([(data["event"], _about(data["data"][0]))])

    def _unpublished(self, emits: list[tuple[str, About]]) -> None:
        if emits and self.on_unpublished is not None:
            self.on_unpublished(emits)

    # hearing ----------------------------------------------------------------------------------------------------------
    def _handle_emit(self, message: dict[str, Any]) -> None:
        """Deliver an emit of the library's own kind."""
        about = _about(message["data"][0])
        if self.on_emit is not None:
            self.on_emit(message["event"], about)
        skipped = self._not_meant(message["event"], about)
        if skipped:
            message = {**message, "skip_sid": skipped}
        super()._handle_emit(message)

    def _listen(self) -> Iterator[bytes]:
        while True:
            try:
                for heard in self.ear.listen():
                    yield from self._take_in(heard)
            except Exception as error:  # noqa: BLE001 - an ear that ends for ever would be worse than any of them
                log.warning("the emit channels are lost: %s", error)
            time.sleep(BACK_OFF_S)

    def _take_in(self, heard: Sequence[Heard]) -> Iterator[bytes]:
        """Act on what has come from the others, in order; gives the messages of the library's own kind, which it acts on."""
        emits: list[Emit] = []
        notices = redis.channel(bus.CHANNEL).encode()
        for channel, data in heard:
            try:
                if channel != notices:
                    found = [] if data.startswith((self._own, ALSO)) else self._emits_of(data)
                    if found is not None:
                        emits += found
                        continue
                self._hear_all(emits)
                emits = []
                if channel != notices:
                    yield data
                elif self.on_notice is not None:
                    self.on_notice(json.loads(data))
            except Exception:
                log.exception("something heard could not be acted on")
        self._hear_all(emits)

    def _emits_of(self, encoded: bytes) -> list[Emit] | None:
        """Read a message of another process; None where it is of the library's kind."""
        first, *packets = encoded.split(b"\n")
        heading = json.loads(first)
        if "emits" not in heading:
            return None
        emits = [
            # The version before had the text in here, and no lines.
            Emit(event, room, about, packets[n].decode(), *rest) if packets else Emit(event, room, about, *rest)
            for n, (event, room, about, *rest) in enumerate(heading["emits"])
        ]
        return [emit for emit in emits if emit.once is None or self._takes(emit.once)]

    def _hear_all(self, emits: Iterable[Emit]) -> None:
        for together in _of_a_kind(emits):
            try:
                self._hear(together)
            except Exception:
                log.exception("an emit that was heard could not be delivered; the rest goes on")

    def _takes(self, name: str) -> bool:
        """Tell whether an emit is heard for the first time."""
        if name in self._taken:
            return False
        self._taken[name] = None
        if len(self._taken) > REMEMBERED:
            del self._taken[next(iter(self._taken))]
        return True


def _of_a_kind(emits: Iterable[Emit]) -> Iterator[list[Emit]]:
    """Put messages that follow upon each other together; whatever else it is may change who hears the next."""
    for is_message, those in itertools.groupby(emits, key=lambda emit: emit.event == "message"):
        if is_message:
            yield list(those)
        else:
            yield from ([emit] for emit in those)


def _about(body: Any) -> About:
    return {name: body[name] for name in ABOUT if name in body} if isinstance(body, dict) else {}
