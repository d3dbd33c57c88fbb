"""Typing, receipts, presence and coming back, under a steady load of messages: how long until the others know?"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from bench.measure import percentile, usage
from bench.people import Crowd
from bench.wire import Client
from bench.work import PARLEY, Load

CHANNELS = ("receipts", "typing", "presence")
STEP_S = 0.02  # a message each: 50 a second
EVERY = 4  # steps between two who begin to type, and between two who read
SELDOM = 25  # steps between two who go away (or are back), and between two whose connection breaks
SETTLE_S = 4.0  # until what is on its way has come
WARM_UP_STEPS = 500  # everybody has had a turn: what is measured is the steady state, not 500 people's first message
# What issue and contract ask for under this load, in milliseconds.
TARGETS = {
    "messageP95Ms": 100, "typingP99Ms": 100, "receiptP95Ms": 150, "presenceMostMs": 500, "reconnectMostMs": 2_000,
}  # fmt: skip


class Awareness:
    """A crowd that writes, types, reads, goes away and comes back. In 500 people each always does the same, every 10 s."""

    def __init__(self, port: int, crowd: Crowd, pids: Sequence[int]) -> None:
        self.load, self.crowd = Load(port, PARLEY, crowd, pids), crowd
        self._messages = self.load.net.on_event
        self.load.net.on_event = self._heard
        self.load.net.on_ready = self._subscribe
        self._begun: dict[tuple[str, str], float] = {}
        self._last: dict[str, str] = {}
        self._away: set[str] = set()
        self.took: dict[str, list[float]] = defaultdict(list)

    def measure(self, seconds: float) -> dict[str, Any]:
        """Have it all happen for so long; gives percentiles in milliseconds, and how often each was heard."""
        self.load.connect()
        self.load.net.on_ready = self._is_back
        self._steps(0, WARM_UP_STEPS)
        self.load.net.pump(time.perf_counter() + SETTLE_S)
        self.took.clear()
        began, before, first = time.perf_counter(), usage(self.load.pids), len(self.load.sent)
        self._steps(WARM_UP_STEPS, int(seconds / STEP_S))
        cores = (usage(self.load.pids) - before).cpu_s / (time.perf_counter() - began)
        self.load.net.pump(time.perf_counter() + SETTLE_S)
        took = self.took | {
            "message": [(at - s.at) * 1000 for s in self.load.sent[first:] for at in s.delivered.values()]
        }
        self.load.close()
        return {
            "messageP95Ms": percentile(took["message"], 95), "typingP99Ms": percentile(took["typing"], 99),
            "receiptP95Ms": percentile(took["receipt"], 95), "presenceP95Ms": percentile(took["presence"], 95),
            "presenceMostMs": max(took["presence"], default=0.0), "reconnectMostMs": max(took["reconnect"], default=0.0),
            "cores": cores, "heard": {kind: len(times) for kind, times in took.items()}, "lost": self.load.net.lost,
            "putOff": self.load.net.put_off,
        }  # fmt: skip

    def _steps(self, first: int, count: int) -> None:
        began = time.perf_counter()
        for number in range(count):
            self.load.net.pump(began + number * STEP_S)
            self._step(first + number)

    def _step(self, number: int) -> None:
        """Have one write, and another, who wrote five seconds ago, do something else."""
        clients = self.load.clients
        writer = clients[(number * 13) % len(clients)]  # 13, 500 and 100 steps: who types never reconnects
        if writer.is_ready:
            self.load.say(writer)
        one = clients[(number * 13 + len(clients) // 2) % len(clients)]
        room, person = self.crowd.rooms[one.room], self.crowd.people[one.number]
        if not one.is_ready:
            return
        if number % SELDOM == 2:
            status = "online" if person in self._away else "away"
            self._away ^= {person}
            self._begin("presence", f"{person}{status}")
            self._ask(one, "presence", {"status": status})
        elif number % SELDOM == 3:
            self.load.net.close(one)
            self.load.net.open(one)
        elif number % EVERY == 0:
            self._begin("typing", f"{room}{person}")
            self._ask(one, "typing", {"conversationId": room, "isTyping": True})
        elif number % EVERY == 1 and room in self._last:
            self._begin("receipt", f"{self._last[room]}{person}")
            self._ask(one, "message:read", {"conversationId": room, "messageId": self._last[room]})

    def _begin(self, kind: str, name: str) -> None:
        self._begun[kind, name] = time.perf_counter()

    def _end(self, kind: str, name: str, now: float) -> None:
        at = self._begun.get((kind, name))
        if at is not None:
            self.took[kind].append((now - at) * 1000)

    def _ask(self, client: Client, event: str, body: dict[str, Any]) -> None:
        self.load.net.emit(client, [event, body], lambda *_: None)

    def _subscribe(self, client: Client) -> None:
        room = self.crowd.rooms[client.room]
        self._ask(client, "subscribe", {"channels": [f"{kind}:{room}" for kind in CHANNELS]})

    def _is_back(self, client: Client) -> None:
        self.took["reconnect"].append((time.perf_counter() - client.began_at) * 1000)
        self._subscribe(client)

    def _heard(self, client: Client, packet: bytes, now: float) -> None:
        if packet.startswith(b'42["message",'):
            self._messages(client, packet, now)
            if client.number % self.crowd.members == 0:
                event = json.loads(packet[2:])[1]
                self._last[event["conversationId"]] = event["id"]
            return
        name, body = json.loads(packet[2:])
        if name == "typing" and body["isTyping"]:
            self._end("typing", f"{body['conversationId']}{body['userId']}", now)
        elif name == "receipt":
            self._end("receipt", f"{body['messageId']}{body['readByUserId']}", now)
        elif name == "presence":
            for event in [body, *body.get("more", [])]:
                self._end("presence", f"{event['userId']}{event['status']}", now)
