"""Those around the members: tabs that close right after the ack, a guest who is removed and added again, an outsider."""

from __future__ import annotations

import itertools
import queue
import random
import threading
import time

import requests

from tests.chaos.line import Fate, Line, NoLine, Reply
from tests.chaos.recording import Glimpse, Recording
from tests.model.system import CONVERSATIONS, Send
from tests.support.clients import Person, Rest

THINKS_S = 2.0  # in an open tab, so that some write though the database has just gone away


class Tabs(threading.Thread):
    """Someone who opens a tab, writes one line and closes it right after the ack. Nothing is ever sent again."""

    def __init__(
        self, name: str, person: str, token: str, urls: list[str], record: Recording, *, every_s: float, seed: str
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.person, self.token, self.urls, self.record, self.every_s = person, token, urls, record, every_s
        self.chance = random.Random(seed)
        self.quiet = threading.Event()
        self.numbers = itertools.count(1)

    def run(self) -> None:
        """Write by one tab after the other until told to be quiet."""
        while not self.quiet.wait(self.chance.uniform(0, 2 * self.every_s)):
            number = next(self.numbers)
            name = f"{self.name} {number}"
            send = Send(name, self.person, self.chance.choice(CONVERSATIONS), 1, f"{name} says 1")
            self._post(send) if number % 4 == 0 else self._say(send)

    def _say(self, send: Send) -> None:
        try:
            line = Line(self.chance.choice(self.urls), self.token)
        except NoLine:
            return
        self.quiet.wait(self.chance.uniform(0, THINKS_S))
        payload = self.record.begin(send, is_kept=False)
        self.record.answer(send, line.ask("message:send", payload))
        line.close()

    def _post(self, send: Send) -> None:
        """The same by REST."""
        payload = self.record.begin(send, is_kept=False)
        headers = {"Authorization": f"Bearer {self.token}"}
        url = self.chance.choice(self.urls) + "/api/messages/send"
        try:
            answer = requests.post(url, json=payload, headers=headers, timeout=20)
        except requests.RequestException:
            self.record.answer(send, Reply(Fate.CUT))
            return
        error = None if answer.ok else answer.json()["error"]
        self.record.answer(send, Reply(Fate.REFUSED, error=error) if error else Reply(Fate.OK))


class Onlooker(threading.Thread):
    """Listens and asks as a member would, and notes whatever it is given."""

    def __init__(self, person: Person, name: str, urls: list[str], record: Recording, seed: str) -> None:
        super().__init__(name=name, daemon=True)
        self.person, self.urls, self.record = person, urls, record
        self.chance = random.Random(seed)
        self.quiet = threading.Event()

    def run(self) -> None:
        """Stay connected, listen, and ask now and then."""
        line: Line | None = None
        while not self.quiet.is_set():
            try:
                line = line if line and line.is_open else Line(self.chance.choice(self.urls), str(self.person.token))
            except NoLine:
                self.quiet.wait(0.3)
                continue
            self._listen(line, until=time.monotonic() + 0.7)
            self._ask(line)
        if line:
            self._listen(line, until=time.monotonic() + 0.1)
            line.close()

    def _listen(self, line: Line, until: float) -> None:
        while time.monotonic() < until:
            try:
                name, body = line.heard.get(timeout=0.1)
            except queue.Empty:
                continue
            if name in ("message", "message:changed"):
                self._note(name, self.record.words.messages.get(body["id"], body["id"]))

    def _ask(self, line: Line) -> None:
        own = self.chance.choice(list(self.record.words.conversations))
        asked_at = time.monotonic()
        if self.chance.random() < 0.5:
            line.ask("subscribe", {"channels": [f"conversation:{own}"]})
        if line.ask("sync", {"conversationId": own, "after": 0, "limit": 1}).fate is Fate.OK:
            self._note("sync", None, asked_at)

    def _note(self, what: str, message: str | None, at: float | None = None) -> None:
        self.record.glimpses.append(Glimpse(self.name, at or time.monotonic(), what, message))


class Doorkeeper(threading.Thread):
    """The owner, who removes the guest and adds them again."""

    def __init__(self, owner: Person, guest: Person, urls: list[str], record: Recording, seed: str) -> None:
        super().__init__(name="doorkeeper", daemon=True)
        self.owner, self.guest, self.urls, self.record = owner, guest, urls, record
        self.chance = random.Random(seed)
        self.quiet = threading.Event()
        self.room = next(own for own, name in record.words.conversations.items() if name == CONVERSATIONS[0])

    def run(self) -> None:
        """Out, wait, in, wait; at last the guest is out."""
        while not self.quiet.is_set():
            removed_at = self._insist("DELETE", f"/conversations/{self.room}/members/{self.guest.id}", None)
            self.quiet.wait(self.chance.uniform(2, 5))
            if self.quiet.is_set():
                break
            self.record.removals.append((removed_at, time.monotonic()))
            self._insist("POST", f"/conversations/{self.room}/members", {"username": self.guest.username})
            self.quiet.wait(self.chance.uniform(1, 3))
        else:
            removed_at = self._insist("DELETE", f"/conversations/{self.room}/members/{self.guest.id}", None)
        self.record.removals.append((removed_at, float("inf")))

    def _insist(self, method: str, path: str, body: object) -> float:
        """Repeat until it is done; gives when it was answered."""
        while True:
            try:
                answer = Rest(self.chance.choice(self.urls), self.owner.token).call(method, path, body)
                if answer.ok or answer.status_code in (404, 409):
                    return time.monotonic()
            except requests.RequestException:
                pass
            time.sleep(0.1)
