"""Typing, receipts, presence and coming back, under a steady load of messages: how long until the others know?"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from typing import Any

from bench.measure import percentile
from bench.people import Crowd
from bench.wire import Client
from bench.work import PARLEY, Load

CHANNELS = ("receipts", "typing", "presence")
STEP_S = 0.05


class Awareness:
    """A crowd that writes, types, reads, goes away and comes back."""

    def __init__(self, port: int, crowd: Crowd) -> None:
        self.load, self.crowd = Load(port, PARLEY, crowd, ()), crowd
        self._messages = self.load.net.on_event
        self.load.net.on_event = self._heard
        self._begun: dict[tuple[str, str], float] = {}
        self.took: dict[str, list[float]] = defaultdict(list)

    def measure(self, seconds: float) -> dict[str, Any]:
        """Have it all happen for so long; gives percentiles in milliseconds."""
        self.load.connect()
        for client in self.load.clients:
            room = self.crowd.rooms[client.room]
            self._ask(client, "subscribe", {"channels": [f"{kind}:{room}" for kind in CHANNELS]})
        self.load.net.pump(time.perf_counter() + 8)  # the presence of all who came is told
        began = time.perf_counter()
        for number in range(int(seconds * 3 / STEP_S)):
            self.load.net.pump(began + number * STEP_S)
            self._step(number)
        self.load.net.pump(time.perf_counter() + 2)
        sent = [(at - s.at) * 1000 for s in self.load.sent for at in s.delivered]
        self.load.close()
        return {
            "messageP95Ms": percentile(sent, 95), "typingP99Ms": percentile(self.took["typing"], 99),
            "receiptP95Ms": percentile(self.took["receipt"], 95), "presenceP95Ms": percentile(self.took["presence"], 95),
            "reconnectP95Ms": percentile(self.took["reconnect"], 95),
        }  # fmt: skip

    def _step(self, number: int) -> None:
        clients = self.load.clients
        one = clients[(number * 13) % len(clients)]
        room = self.crowd.rooms[one.room]
        if one.socket is None or not one.is_ready:
            return
        self.load.say(one)
        if number % 4 == 0:
            self._begin("typing", f"{room}{self.crowd.people[one.number]}")
            self._ask(one, "typing", {"conversationId": room, "isTyping": True})
        elif number % 4 == 1 and self._last_of(room):
            self._begin("receipt", f"{self._last_of(room)}{self.crowd.people[one.number]}")
            self._ask(one, "message:read", {"conversationId": room, "messageId": self._last_of(room)})
        elif number % 40 == 2:
            self._begin("presence", self.crowd.people[one.number])
            self._ask(one, "presence", {"status": "away"})
        elif number % 40 == 3:
            self._come_back(one)

    def _begin(self, kind: str, name: str) -> None:
        self._begun.setdefault((kind, name), time.perf_counter())

    def _end(self, kind: str, name: str, now: float) -> None:
        at = self._begun.get((kind, name))
        if at is not None:
            self.took[kind].append((now - at) * 1000)

    def _ask(self, client: Client, event: str, body: dict[str, Any]) -> None:
        self.load.net.emit(client, [event, body], lambda *_: None)

    def _come_back(self, client: Client) -> None:
        self.load.net.close(client)
        began = time.perf_counter()
        self.load.net.on_ready = lambda _: self.took["reconnect"].append((time.perf_counter() - began) * 1000)
        self.load.net.open(client)

    def _last_of(self, room: str) -> str:
        return self._last.get(room, "")

    _last: dict[str, str] = {}  # noqa: RUF012 - one crowd a run

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
        elif name == "presence" and body["status"] == "away":
            self._end("presence", body["userId"], now)
