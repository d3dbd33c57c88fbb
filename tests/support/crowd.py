"""People who do everything that can be done to messages, by chance, and clients that follow a conversation."""

from __future__ import annotations

import random
import threading
import uuid
from typing import Any

import requests

from tests.support.clients import Event, Person, Rest, Socket, send_body
from tests.support.doors import Refused, RestDoor, SocketDoor
from tests.support.stack import until
from tests.support.view import View

EMOJIS = ["👍", "🎉", "❤️"]


def stir(door: RestDoor | SocketDoor, room: str, chance: random.Random, changes: int) -> list[Event]:
    """Make this many changes or attempts at them; gives what each was answered with."""
    answers: list[Event] = []
    for number in range(changes):
        known = [m for m in answers if m["persisted"] and not m["deletedAt"]]
        kind = chance.choice(["say", "say", "say", "reply", "edit", "delete", "react", "unreact"]) if known else "say"
        target = chance.choice(known) if known else None
        try:
            answers.append(_change(door, room, kind, target, number, chance))
        except Refused as refusal:
            if refusal.code not in ("conflict", "unavailable"):
                raise
    return answers


def _change(
    door: RestDoor | SocketDoor, room: str, kind: str, target: Event | None, number: int, chance: random.Random
) -> Event:
    words = f"{kind} {number} of {door.person.username}"
    if target is None or kind == "say":
        return door.say(room, words)
    if kind == "reply":
        return door.say(room, words, replyToId=target["id"])
    if kind == "edit":
        return door.edit(target["id"], words)
    if kind == "delete":
        return door.delete(target["id"])
    return (door.react if kind == "react" else door.unreact)(target["id"], chance.choice(EMOJIS))


class Sender(threading.Thread):
    """Sends in order, one in flight, and tries each again, with the same id and at any process, until it is acked."""

    def __init__(self, person: Person, urls: list[str], room: str, texts: list[str]) -> None:
        super().__init__(daemon=True)
        self.doors = [Rest(url, person.token) for url in urls]
        self.room, self.texts = room, texts
        self.acked: list[Event] = []
        self.failure: str | None = None

    def run(self) -> None:
        previous: str | None = None
        for number, content in enumerate(self.texts):
            key = str(uuid.uuid4())
            body = send_body(self.room, content, key, **({"afterClientMessageId": previous} if previous else {}))
            for attempt in range(400):
                if self._try(self.doors[(number + attempt) % len(self.doors)], body):
                    break
                if self.failure:
                    return
            else:
                self.failure = f"{content!r} was never accepted"
                return
            previous = key

    def _try(self, door: Rest, body: dict[str, Any]) -> bool:
        try:
            answer = door.call("POST", "/messages/send", body)
        except requests.RequestException:
            threading.Event().wait(0.05)
            return False
        if answer.ok:
            self.acked.append(answer.json()["data"]["message"])
            return True
        if not answer.json()["error"]["temporary"]:
            self.failure = answer.text
        threading.Event().wait(0.05)
        return False


class Follower:
    """A client as the contract's section 6 has it: one position, events in order, a gap or a head ahead means sync."""

    def __init__(self, person: Person, room: str, url: str) -> None:
        self.person, self.room, self.url = person, room, url
        self.view = View(room, [], 0)
        self.device: Socket | None = None
        self.connect()

    def connect(self) -> None:
        """Open a device and fetch what was missed meanwhile."""
        self.device = self.person.socket(self.url)
        self._read = 0
        head = next((c["headSeq"] for c in self.device.ready["conversations"] if c["id"] == self.room), 0)
        if head > self.view.position:
            self.sync()

    def hang_up(self) -> None:
        """Go away."""
        assert self.device is not None
        self.device.close()

    def follow(self) -> int:
        """Take in what was heard since; gives the position held."""
        assert self.device is not None
        behind = False
        for name, data in self.device.events[self._read :]:
            self._read += 1
            if name in ("message", "message:changed") and data["conversationId"] == self.room and data["persisted"]:
                if data["changedSeq"] <= self.view.position + 1:
                    self.view.apply(data)
                else:
                    behind = True
            elif name == "heads" and self.room in data["heads"]:
                behind = behind or data["heads"][self.room]["headSeq"] > self.view.position
        if behind:
            self.sync()
        return self.view.position

    def sync(self) -> None:
        """Fetch what was missed, page by page."""
        assert self.device is not None
        while True:
            missed = self.device.ok("sync", {"conversationId": self.room, "after": self.view.position, "limit": 50})
            for event in missed["messages"]:
                self.view.apply(event)
            self.view.position = missed["upToSeq"]
            if not missed["hasMore"]:
                return

    def until_at(self, head: int, *, within_s: float) -> None:
        """Follow until this position is held."""
        until(lambda: self.follow() >= head, within_s=within_s, what=f"position {head}; it is {self.view.position}")
