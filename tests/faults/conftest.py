"""Parley with a misbehaving wire in front of every server, for each process its own."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from socketio.exceptions import ConnectionError as NotConnected, SocketIOError

from tests.support.clients import Event, Person, send_body
from tests.support.crowd import Follower
from tests.support.inside import Inside
from tests.support.proxy import Proxy, proxies
from tests.support.stack import Stack, until

PARTS = {"log": "MESSAGE_LOG_REDIS_URL", "cache": "REDIS_URL", "database": "DATABASE_URL"}
BEHIND, OTHER, THROUGH = 0, 1, 2  # the web processes, and the write modes of the first two and the last


class Try:
    """One attempt at something: what came of it, and after how many seconds."""

    def __init__(self, attempt: Callable[[], Any]) -> None:
        began = time.monotonic()
        try:
            ack = attempt()
        except (SocketIOError, NotConnected, OSError) as error:
            ack = {"ok": False, "error": {"code": f"cut: {type(error).__name__}", "temporary": True}}
        self.after_s = time.monotonic() - began
        self.ok: bool = ack["ok"]
        self.code: str = "" if ack["ok"] else ack["error"]["code"]
        self.message: Event = ack["data"]["message"] if ack["ok"] else {}
        self.is_temporary: bool = not ack["ok"] and ack["error"]["temporary"]


class Writer:
    """Someone with a device at one web process, who sends in order and remembers what was acked."""

    def __init__(self, person: Person, url: str, room: str) -> None:
        self.person, self.url, self.room = person, url, room
        self.acked: list[str] = []
        self.previous: str | None = None
        self.device = person.socket(url)

    def try_once(self, body: dict[str, Any] | None = None) -> Try:
        """Send once, without the patience of a client that tries again."""
        payload = body or send_body(self.room, f"line {len(self.acked)} of {self.person.username}")
        tried = Try(lambda: self._ask("message:send", payload))
        if tried.ok:
            self.acked.append(tried.message["id"])
        return tried

    def _ask(self, event: str, payload: dict[str, Any], *, within_s: float = 12) -> dict[str, Any]:
        """Send and wait for the ack, but no longer than the device is connected."""
        client, acks = self.device.client, []
        client.emit(event, payload, callback=acks.append)
        deadline = time.monotonic() + within_s
        while not acks and client.connected and time.monotonic() < deadline:
            time.sleep(0.005)
        return acks[0] if acks else {"ok": False, "error": {"code": "unanswered", "temporary": True}}

    def next_body(self) -> dict[str, Any]:
        """Make the next message, which names the one before it: its client may not have seen that persisted."""
        before = {"afterClientMessageId": self.previous} if self.previous else {}
        body = send_body(self.room, f"line {len(self.acked)} of {self.person.username}", **before)
        self.previous = body["clientMessageId"]
        return body

    def send_until_taken(self, *, within_s: float) -> tuple[Try, float]:
        """Try one message until it is taken, as a client does; gives the last try and how long all took."""
        body = self.next_body()
        began = time.monotonic()
        while not (tried := self.try_once(body)).ok:
            self.come_back()
            assert tried.is_temporary, tried.code
            assert time.monotonic() - began < within_s, f"not taken within {within_s} s: {tried.code}"
            time.sleep(0.05)
        return tried, time.monotonic() - began

    def come_back(self) -> None:
        """Have a device that is connected, if that can be had just now."""
        if not self.device.client.connected:
            with contextlib.suppress(NotConnected, AssertionError):
                self.device = self.person.socket(self.url)


class Ground:
    """Two web processes behind and one through, a worker, and a wire from each to each server."""

    def __init__(self, stack: Stack, make: Callable[[str], Proxy]) -> None:
        self.stack, self.inside = stack, None
        self.wires: dict[str, dict[str, Proxy]] = {}
        for name in ("web0", "web1", "web2", "worker"):
            self.wires[name] = {part: make(stack.environ[key]) for part, key in PARTS.items()}
            stack.own[name] = {key: self.wires[name][part].address(stack.environ[key]) for part, key in PARTS.items()}
            stack.own[name]["REDIS_CONNECT_TIMEOUT"] = "300"
        self.door = make(stack.urls[OTHER])  # between clients and the second web process
        stack.own["web1"]["CHAT_ORIGINS"] = f"{stack.urls[OTHER]},{self.door.address(stack.urls[OTHER])}"
        stack.own["web2"]["MESSAGE_WRITE_MODE"] = "through"
        stack.own["web2"]["CHAT_CONNECTIONS_PER_USER"] = "6"
        stack.own["web2"]["CHAT_CONNECTIONS_PER_ADDRESS"] = "12"
        stack.start()
        self.inside = Inside(stack)
        word = "f" + uuid.uuid4().hex[:8]
        self.ann, self.ben, self.eve = (Person(stack.urls[n], f"{word}-{who}") for n, who in enumerate(("a", "b", "e")))
        self.room = self.ann.room(word, self.ben, self.eve)
        self.behind = Writer(self.ann, stack.urls[BEHIND], self.room)
        self.through = Writer(self.eve, stack.urls[THROUGH], self.room)
        self.listener = Follower(self.ben, self.room, stack.urls[OTHER])
        self.token = None

    def strike(self, fault: Callable[[Proxy], None], *parts: str, at: tuple[str, ...] | None = None) -> None:
        """Do something to the wires to these servers, of all processes or of some."""
        for name in at or self.wires:
            for part in parts:
                fault(self.wires[name][part])

    def heal(self) -> None:
        """Make every wire whole."""
        self.door.heal()
        self.strike(Proxy.heal, *PARTS)

    def until_whole(self, *, within_s: float = 30) -> tuple[float, float]:
        """Wait until sends are taken everywhere again, and by the log as on a fine day; gives the seconds up to each."""
        began = time.monotonic()
        for writer in (self.behind, self.through):
            writer.send_until_taken(within_s=within_s)
        taken_s = time.monotonic() - began
        while self.behind.send_until_taken(within_s=within_s)[0].message["persisted"]:
            assert time.monotonic() - began < within_s, "the log is not used again"
            time.sleep(0.2)
        until(self._listens, within_s=within_s, what="the listener to be back")
        return taken_s, time.monotonic() - began

    def _listens(self) -> bool:
        if not (self.listener.device and self.listener.device.client.connected):
            with contextlib.suppress(NotConnected, AssertionError):
                self.listener.connect()
        return bool(self.listener.device and self.listener.device.client.connected)

    def read_once(self, url: str) -> int:
        """Ask for history once; gives the status."""
        headers = {"Authorization": f"Bearer {self.ben.token}"}
        path = f"{url}/api/conversations/{self.room}/messages"
        return int(self.ben.session.get(path, headers=headers, timeout=15).status_code)

    def check(self) -> None:
        """What was acked is stored once, in the order of each sender, and the listener sees what the database holds."""
        acked = {*self.behind.acked, *self.through.acked}
        until(
            lambda: acked <= self.inside.whole(self.room)[2].keys(),
            within_s=20,
            what="all that was acked in the database",
        )
        head, positions, places = self.inside.whole(self.room)  # from one moment: others may still be writing
        for writer in (self.behind, self.through):
            own = [places[one] for one in writer.acked]
            assert own == sorted(own), "a sender's messages have changed places"
        assert positions == list(range(1, head + 1))
        self.listener.until_at(head, within_s=20)
        assert {m["id"] for m in self.listener.view.shown if m["persisted"] and m["seq"] <= head} == places.keys()


@pytest.fixture(scope="package")
def whole_ground(services: dict[str, str], template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("faults")
    with proxies() as make:
        stack = Stack.make(services, template, "behind", folder, webs=3)
        try:
            ground = Ground(stack, make)
            yield ground
        finally:
            stack.end()


@pytest.fixture
def ground(whole_ground: Ground) -> Iterator[Ground]:
    """A ground without faults; what a test has done to it is mended afterwards."""
    whole_ground.until_whole()
    yield whole_ground
    whole_ground.heal()
