"""The work: the same for every server, with its own words for sending, joining and catching up."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.measure import Usage, percentile, usage
from bench.people import Crowd
from bench.wire import Client, Net

FILLER = "the quick brown fox jumps over the lazy dog and then some more words follow " * 3
MISSED = 100
DRAIN_S = 20.0


@dataclass(frozen=True)
class Words:
    """What a server calls things. ``join`` is None where a connection is in its rooms at once and says ``ready``."""

    auth: Callable[[str], Any]
    send: Callable[[str, str], list[Any]]
    history: Callable[[str], list[Any]]
    join: Callable[[str], list[Any]] | None = None


PARLEY = Words(
    auth=lambda token: {"token": token},
    send=lambda room, text: [
        "message:send", {"conversationId": room, "content": text, "clientMessageId": str(uuid.uuid4())},
    ],
    history=lambda room: ["sync", {"conversationId": room, "after": 0, "limit": 200}],
)  # fmt: skip
NAIVE = Words(
    auth=lambda token: {"token": token},
    send=lambda room, text: ["message", {"room": room, "text": text}],
    history=lambda room: ["history", {"room": room, "after": 0, "limit": 200}],
    join=lambda room: ["join", {"room": room}],
)


@dataclass
class Sent:
    """A message that was sent: by whom, when, when its ack came, and when each client had its first copy.

    A message that came provisionally comes again with its positions: that is the same delivery.
    """

    sender: Client
    at: float
    acked_at: float = 0.0
    delivered: dict[int, float] = field(default_factory=dict)


class Load:
    """A crowd at a server."""

    def __init__(self, port: int, words: Words, crowd: Crowd, pids: Sequence[int]) -> None:
        self.words, self.crowd, self.pids = words, crowd, pids
        self.net = Net(port, words.auth, awaits_ready=words.join is None)
        self.net.on_event = self._heard
        self.clients = [Client(n, n // crowd.members, token) for n, token in enumerate(crowd.tokens)]
        self.sent: list[Sent] = []
        self.stray = 0
        self._joined = 0

    def connect(self, *, at_once: int = 50) -> float:
        """Connect everybody, so many at a time; gives the connects a second."""
        began, waiting = time.perf_counter(), list(reversed(self.clients))
        if self.words.join is not None:
            self.net.on_ready = self._join
        opened = 0
        while self._ready() < len(self.clients):
            while waiting and opened - self._ready() < at_once:
                self.net.open(waiting.pop())
                opened += 1
            self.net.pump(time.perf_counter() + 0.02)
            if time.perf_counter() - began > 300:
                raise SystemExit(f"only {self._ready()} of {len(self.clients)} clients could connect")
        return len(self.clients) / (time.perf_counter() - began)

    def _ready(self) -> int:
        return self._joined if self.words.join is not None else sum(client.is_ready for client in self.clients)

    def _join(self, client: Client) -> None:
        assert self.words.join is not None
        self.net.emit(client, self.words.join(self.crowd.rooms[client.room]), lambda *_: self._note_joined())

    def _note_joined(self) -> None:
        self._joined += 1

    def close(self) -> None:
        """Hang up everywhere."""
        for client in self.clients:
            self.net.close(client)

    # sending ----------------------------------------------------------------------------------------------------------
    def _heard(self, client: Client, packet: bytes, now: float) -> None:
        at = packet.find(b"~M", 0, 700)
        if at < 0:
            return
        sent = self.sent[int(packet[at + 2 : at + 10], 16)]
        if sent.sender.room != client.room:
            self.stray += 1
        elif sent.sender is not client:
            sent.delivered.setdefault(client.number, now)

    def say(self, client: Client, then: Callable[[], None] = lambda: None) -> Sent:
        """Send one message of 200 bytes."""
        sent = Sent(client, time.perf_counter())
        text = f"~M{len(self.sent):08x}~{FILLER}"[:200]
        self.sent.append(sent)

        def acked(packet: bytes, now: float) -> None:
            if b'"error"' in packet and b'"temporary":true' in packet:
                self.net.later(lambda: self.net.emit(client, event, acked))  # as every client does, with the same id
            elif b'"error"' in packet:
                raise SystemExit(f"a send was refused: {packet[:300].decode()}")
            else:
                sent.acked_at = now
                then()

        event = self.words.send(self.crowd.rooms[client.room], text)
        self.net.emit(client, event, acked)
        return sent

    def closed(self, seconds: float, *, senders: int = 50, warm_up_s: float = 1.5) -> dict[str, Any]:
        """Have so many senders each send as soon as the one before is acked: how much goes through?"""
        speakers = [self.clients[n * len(self.clients) // senders] for n in range(senders)]
        self._rounds(speakers, warm_up_s)
        before, first = usage(self.pids), len(self.sent)
        self._rounds(speakers, seconds)
        return self._result(first, before)

    def _rounds(self, speakers: Sequence[Client], seconds: float) -> None:
        end, first = time.perf_counter() + seconds, len(self.sent)

        def again(client: Client) -> Callable[[], None]:
            return lambda: None if time.perf_counter() > end else void(self.say(client, again(client)))

        for client in speakers:
            self.say(client, again(client))
        self.net.pump(end)
        self._settle(first)

    def steady(self, rate: float, seconds: float) -> dict[str, Any]:
        """Send so many a second, by turns: how long until they are heard?"""
        before, first, began = usage(self.pids), len(self.sent), time.perf_counter()
        for number in range(int(rate * seconds)):
            self.net.pump(began + number / rate)
            self.say(self.clients[(number * 7) % len(self.clients)])
        self._settle(first)
        return self._result(first, before)

    def _settle(self, first: int) -> None:
        others = self.crowd.members - 1
        self.net.pump(
            time.perf_counter() + DRAIN_S,
            done=lambda: all(s.acked_at and len(s.delivered) >= others for s in self.sent[first:]),
        )

    def _result(self, first: int, before: Usage) -> dict[str, Any]:
        sent, used = self.sent[first:], usage(self.pids) - before
        took = max([t for s in sent for t in s.delivered.values()] + [s.acked_at for s in sent]) - sent[0].at
        latencies = [(at - s.at) * 1000 for s in sent for at in s.delivered.values()]
        acks = [(s.acked_at - s.at) * 1000 for s in sent]
        complete = all(len(s.delivered) == self.crowd.members - 1 and s.acked_at for s in sent)
        return {
            "messagesPerS": len(sent) / took,
            "deliveriesPerS": len(latencies) / took,
            "cpuMsPer1000": used.cpu_s * 1e6 / max(1, len(latencies)),
            "p50Ms": percentile(latencies, 50), "p95Ms": percentile(latencies, 95), "p99Ms": percentile(latencies, 99),
            "ackP50Ms": percentile(acks, 50), "ackP99Ms": percentile(acks, 99),
            "putOff": self.net.put_off,
            "complete": complete and not self.stray and not self.net.lost,
        }  # fmt: skip

    # coming back ------------------------------------------------------------------------------------------------------
    def storm(self) -> dict[str, Any]:
        """Have everybody miss a hundred messages, come back at once, and fetch them."""
        left = [MISSED] * len(self.crowd.rooms)
        for room in range(len(left)):
            self._tell(room, left)
        self.net.pump(time.perf_counter() + 120, done=lambda: not any(left))
        self._settle(len(self.sent) - MISSED * len(self.crowd.rooms))
        self.close()
        time.sleep(1)
        got: dict[int, tuple[int, float]] = {}
        before, began = usage(self.pids), time.perf_counter()
        self.net.on_ready = lambda client: self._catch_up(client, got)
        for client in self.clients:
            self.net.open(client)
        self.net.pump(began + 120, done=lambda: len(got) == len(self.clients))
        return {
            "clients": len(self.clients),
            "allS": max((at for _, at in got.values()), default=0) - began,
            "cpuS": (usage(self.pids) - before).cpu_s,
            "oneP50Ms": self._one_by_one(),
            "complete": len(got) == len(self.clients) and all(count >= MISSED for count, _ in got.values()),
        }

    def _one_by_one(self, tries: int = 30) -> float:
        """Have some of those who are back fetch the same again, each alone; gives the median in milliseconds."""
        took: list[float] = []
        for number, client in enumerate(self.clients[:: max(1, len(self.clients) // tries)]):
            began = time.perf_counter()
            asked = self.words.history(self.crowd.rooms[client.room])
            self.net.emit(client, asked, lambda _, now, began=began: took.append((now - began) * 1000))
            self.net.pump(began + 10, done=lambda number=number: len(took) > number)
        return percentile(took, 50)

    def _catch_up(self, client: Client, got: dict[int, tuple[int, float]]) -> None:
        room = self.crowd.rooms[client.room]

        def ask(*_: object) -> None:
            self.net.emit(client, self.words.history(room), answered)

        def answered(packet: bytes, now: float) -> None:
            got[client.number] = (packet.count(b"~M"), now)

        if self.words.join is None:
            ask()
        else:
            self.net.emit(client, self.words.join(room), ask)

    def _tell(self, room: int, left: list[int]) -> None:
        """Have one of a room say what the others will miss, one after the other."""
        teller = self.clients[room * self.crowd.members]

        def again() -> None:
            left[room] -= 1
            if left[room]:
                self.say(teller, again)

        self.say(teller, again)


def void(_: object) -> None:
    """Drop a value where a statement is wanted."""
