"""What this process hears of the others: a channel that all hear, and one for each conversation and person with a socket here.

So a process is not sent what is said where it has nobody. A *topic* is such a conversation's or person's id. It is asked for
when the first socket of it comes, and let go a minute after the last has gone. Whoever must not miss a thing waits for the
answer (``until_heard``) before reading how things stand: what came before is in that, and what comes after is heard.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from redis.exceptions import RedisError, ResponseError, TimeoutError as NothingYet

from app.extensions import redis
from app.kernel.gathering import let_others_come

PING_EVERY_S = 0.4
SILENCE_MAX_S = 2.0
LET_GO_AFTER_S = 60.0
LET_GO_LOOK_S = 5.0
FRESH_S = 2.0
AT_ONCE = 500  # channels in one command
HEARD_AT_ONCE = 100  # messages
MESSAGES = (b"message", b"smessage")
TOPIC = "parley:of:"
Heard = tuple[bytes, bytes]  # channel, message


def topic_of(room: Any) -> str | None:
    """Give the topic of a Socket.IO room: ``typing:{c}`` and ``conversation:{c}`` are heard together. None: it has none."""
    return room.split(":", 2)[1] if isinstance(room, str) and ":" in room else None


def channel_of(topic: str) -> str:
    """Name a topic's channel. No hash tag: on a cluster the channels spread over its shards."""
    return redis.channel(TOPIC + topic)


def has_shards(ask: Callable[..., Any]) -> bool:
    """Tell whether a server has sharded channels (Redis 7): those are not told to every node of a cluster."""
    try:
        return bool((ask("COMMAND INFO", "spublish") or [None])[0])
    except ResponseError:
        return False  # one that keeps its commands to itself


class Ear:
    """The connection on which this process hears the emits and notices of the others."""

    def __init__(self, common: Sequence[str]) -> None:
        self.heard_at = 0.0
        self.on_listening: Callable[[], None] | None = None  # heard again: what was said meanwhile is lost
        self._common = common
        self._held: dict[str, int] = {}  # topic: how many rooms of it have a socket here
        self._spare: dict[str, float] = {}  # topic that nobody here needs, and since when
        self._new: list[str] = []  # to be asked for
        self._fresh: dict[str, float] = {}  # topic: when its first room was entered, if that was lately
        self._lock = threading.Lock()
        self._connection: Any = None
        self._verb = "SUBSCRIBE"
        self._pinged_at = self._looked_at = 0.0
        self._asked = self._awaited = self._answered = self._late = (
            0  # numbers of pings; what was asked before is heard
        )
        self._answers = threading.Condition()
        self._waiting: list[tuple[int, Callable[[], None]]] = []

    # what is to be heard ----------------------------------------------------------------------------------------------
    def enter(self, topic: str) -> None:
        """Have a room of a topic here; it is heard once ``until_heard`` or ``when_heard`` has asked for it."""
        with self._lock:
            rooms = self._held.get(topic, 0)
            self._held[topic] = rooms + 1
            if rooms == 0 and self._spare.pop(topic, None) is None:
                self._new.append(topic)
                self._fresh[topic] = time.monotonic()

    def leave(self, topic: str) -> None:
        """Have one room less of a topic."""
        with self._lock:
            rooms = self._held.get(topic, 0) - 1
            if rooms > 0:
                self._held[topic] = rooms
            elif self._held.pop(topic, None) is not None:
                self._spare[topic] = time.monotonic()

    def lend(self, topic: str) -> None:
        """Hear a topic for a while although nobody here is in it; nobody waits for that."""
        if topic in self._held or self._connection is None:
            return
        with self._lock:
            if self._spare.get(topic) is None:
                self._new.append(topic)
            self._spare[topic] = time.monotonic()
            self._ask_for_new()

    def hears(self, topic: str) -> bool:
        """Tell whether a topic is heard, or asked for."""
        return topic in self._held or topic in self._spare

    def until_heard(self) -> bool:
        """Wait until all topics entered so far are heard; not where Redis is slow or away: ``on_listening`` comes then."""
        if self._new:
            let_others_come()  # they ask in one go
        with self._lock:
            connection, number = self._connection, self._ask_for_new()
        if connection is None:
            return False
        if self._answered >= number:
            return True
        with self._answers:
            self._answers.wait_for(
                lambda: self._answered >= number or self._connection is not connection, redis.timeout_s
            )
            if self._answered < number:
                self._late = max(self._late, number)
        return self._answered >= number

    def when_heard(self, topics: Iterable[str], then: Callable[[Collection[str]], None]) -> None:
        """Ask for what was entered; call back once it is heard with those that were not before: something may be missed."""
        with self._lock:
            number = self._ask_for_new()
            fresh = [topic for topic in topics if topic in self._fresh]
            if not fresh:
                return
            if self._answered < number:
                self._waiting.append((number, lambda: then(fresh)))
                return
        then(fresh)

    def _ask_for_new(self) -> int:
        """Give the number of the ping whose answer says that everything is heard. Called with the lock held."""
        if self._new and self._connection is not None:
            new, self._new = self._new, []
            self._write(*self._subscribing(new))
            self._awaited = self._asked
        return self._awaited

    def _subscribing(self, topics: Sequence[str], verb: str = "") -> list[tuple[str, ...]]:
        channels = [channel_of(topic) for topic in topics]
        return [(verb or self._verb, *channels[n : n + AT_ONCE]) for n in range(0, len(channels), AT_ONCE)]

    def _write(self, *commands: tuple[str, ...]) -> None:
        """Write commands and a ping behind them. Called with the lock held; one that fails ends the connection."""
        self._asked += 1
        connection = self._connection
        try:
            packed = connection.pack_commands([*commands, ("PING", str(self._asked))])
            connection.send_packed_command(packed, check_health=False)
        except (RedisError, OSError):
            connection.disconnect()  # its reader finds out, and asks for everything again

    # hearing ----------------------------------------------------------------------------------------------------------
    def listen(self) -> Iterator[list[Heard]]:
        """Connect and give the messages that have come by then, until the connection is lost; raises RedisError or OSError.

        One who is slow to act on them is given more at a time, and can do together what costs most when it is done for each.
        """
        client = redis.client(redis.url or "", timeout_s=SILENCE_MAX_S)
        connection = client.connection_pool.get_connection()
        try:
            self._begin(connection)
            yield from self._read(connection)
        finally:
            with self._lock:
                self._connection = None
            with self._answers:
                self._answers.notify_all()
            connection.disconnect()
            client.close()

    def _begin(self, connection: Any) -> None:
        def ask(*words: str) -> Any:
            connection.send_packed_command(connection.pack_command(*words), check_health=False)
            return connection.read_response()

        self._verb = "SSUBSCRIBE" if has_shards(ask) else "SUBSCRIBE"
        self.heard_at = time.monotonic()
        with self._lock:
            self._connection, self._new, self._fresh = connection, [], {}
            everything = self._subscribing([*self._held, *self._spare])
            self._write(("SUBSCRIBE", *map(redis.channel, self._common)), *everything)
            self._awaited = self._late = self._asked

    def _read(self, connection: Any) -> Iterator[list[Heard]]:
        self._pinged_at = self._looked_at = time.monotonic()
        while True:
            answers, heard = self._answers_by_now(connection), list[Heard]()
            self._keep_alive()  # before they are acted on: who takes long for that is not left without an answer
            for kind, channel, *data in answers:
                if kind in MESSAGES:
                    heard.append((channel, data[0]))
                elif kind == b"pong":
                    if heard:
                        yield heard  # what came before the answer is acted on before it
                        heard = []
                    self._answer(int(channel))
            if heard:
                yield heard

    def _keep_alive(self) -> None:
        now = time.monotonic()
        if now - self.heard_at > SILENCE_MAX_S:
            raise OSError("no answer to a ping")
        if now - self._pinged_at > PING_EVERY_S:
            self._pinged_at = now
            is_time = now - self._looked_at > LET_GO_LOOK_S
            self._looked_at = now if is_time else self._looked_at
            with self._lock:
                self._ask_for_new()
                self._write(*(self._letting_go(now) if is_time else ()))

    def _answers_by_now(self, connection: Any) -> list[Any]:
        """Wait a little for an answer of the server, and take what has come behind it."""
        answers: list[Any] = []
        try:
            while len(answers) < HEARD_AT_ONCE and (not answers or connection.can_read(0)):
                answers.append(connection.read_response(timeout=PING_EVERY_S, disconnect_on_error=False))
        except NothingYet:
            pass
        except (RedisError, OSError):
            if not answers:
                raise  # else what has come is acted on first; the connection is found lost the next time
        if answers:
            self.heard_at = time.monotonic()
        return answers

    def _answer(self, number: int) -> None:
        with self._answers:
            self._answered = number
            self._answers.notify_all()
            is_late, self._late = 0 < self._late <= number, 0 if self._late <= number else self._late
        with self._lock:
            due = [then for wanted, then in self._waiting if wanted <= number]
            self._waiting = [(wanted, then) for wanted, then in self._waiting if wanted > number]
        if is_late and self.on_listening is not None:
            self.on_listening()
        for then in due:
            then()

    def _letting_go(self, now: float) -> list[tuple[str, ...]]:
        """Forget the topics that nobody has needed for a minute; gives the commands. Called with the lock held."""
        self._fresh = {topic: at for topic, at in self._fresh.items() if now - at < FRESH_S}
        old = [topic for topic, since in self._spare.items() if now - since > LET_GO_AFTER_S]
        for topic in old:
            del self._spare[topic]
        return self._subscribing(old, self._verb.replace("SUB", "UNSUB"))
