"""Someone who sends one message after the other, and notes when each was acked and when the others' came."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.line import Fate, Line, NoLine, Reply
from tests.model.system import CONVERSATIONS
from tests.support.clients import Person

LIVE_WITHIN_S = 0.5
GAP_S = 0.3


@dataclass(frozen=True)
class Try:
    """One send: when it was asked and answered, and what its message's id is where it was accepted."""

    asked_at: float
    answered_at: float
    fate: Fate
    message: str

    @property
    def took_s(self) -> float:
        """Seconds from question to answer."""
        return self.answered_at - self.asked_at


@dataclass
class Probe(threading.Thread):
    """A device that stays on one web process and writes without a pause."""

    person: Person
    url: str
    room: str
    every_s: float = 0.04
    tries: list[Try] = field(default_factory=list)
    heard_at: dict[str, float] = field(default_factory=dict)
    final_at: dict[str, float] = field(default_factory=dict)
    places: set[int] = field(default_factory=set)
    position: int = 0
    head: int = 0
    whole_at: float = 0.0
    end: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        """Send and listen until told to end."""
        line: Line | None = None
        number = 0
        while not self.end.is_set():
            try:
                line = line if line and line.is_open else Line(self.url, str(self.person.token), self._note)
            except NoLine:
                self.end.wait(0.1)
                continue
            number += 1
            self._say(line, f"probe {number}")
            self._catch_up(line)
            self.end.wait(self.every_s)
        if line:
            line.close()

    def _say(self, line: Line, content: str) -> None:
        body = {"conversationId": self.room, "content": content, "clientMessageId": str(uuid.uuid4())}
        asked_at = time.monotonic()
        reply: Reply = line.ask("message:send", body)
        own = reply.data["message"]["id"] if reply.fate is Fate.OK else ""
        self.tries.append(Try(asked_at, time.monotonic(), reply.fate, own))

    def _note(self, name: str, body: Any) -> None:
        if name == "message":
            self._take(body)
        elif name == "heads" and self.room in body["heads"]:
            self.head = max(self.head, body["heads"][self.room]["headSeq"])

    def _take(self, body: dict[str, Any]) -> None:
        now = time.monotonic()
        self.heard_at.setdefault(body["id"], now)
        if body["persisted"]:
            self.final_at.setdefault(body["id"], now)
            self.places.add(body["seq"])
            self.head = max(self.head, body["seq"])

    def _catch_up(self, line: Line) -> None:
        """Sync where a place has been missing for 300 ms."""
        while self.position + 1 in self.places:
            self.position += 1
            self.whole_at = time.monotonic()
        if self.position >= self.head:
            self.whole_at = time.monotonic()
        elif time.monotonic() - self.whole_at > GAP_S:
            reply = line.ask("sync", {"conversationId": self.room, "after": self.position})
            for body in reply.data["messages"] if reply.fate is Fate.OK else ():
                self._take(body)


@dataclass
class Pair:
    """Ann on one web process and Ben on the other, both sending."""

    probes: list[Probe]

    @classmethod
    def start(cls, urls: list[str]) -> Pair:
        """Register them and have them send."""
        word = uuid.uuid4().hex[:8]
        ann, ben = Person(urls[0], f"ann{word}"), Person(urls[1], f"ben{word}")
        room = ann.room(f"{CONVERSATIONS[0]}-{word}", ben)
        pair = cls([Probe(ann, urls[0], room), Probe(ben, urls[1], room)])
        for probe in pair.probes:
            probe.start()
        return pair

    def close(self) -> None:
        """Have them end."""
        for probe in self.probes:
            probe.end.set()
        for probe in self.probes:
            probe.join(30)

    def acked_again_s(self, since: float) -> float:
        """Give the seconds until both had a send acked that was asked after this instant."""
        return max(
            min((t.answered_at for t in p.tries if t.asked_at >= since and t.fate is Fate.OK), default=float("inf"))
            - since
            for p in self.probes
        )

    def longest_answer_s(self, since: float) -> float:
        """Give the longest that anybody waited for an answer, of what was asked from this instant on."""
        return max((t.took_s for p in self.probes for t in p.tries if t.asked_at >= since), default=0.0)

    def live_again_s(self, since: float, until: float) -> float:
        """Give the seconds until the last message that the other had not heard half a second after its ack."""
        late = [since]
        for here, there in (self.probes, self.probes[::-1]):
            for t in here.tries:
                heard_at = there.heard_at.get(t.message, float("inf"))
                is_late = heard_at - t.answered_at > LIVE_WITHIN_S
                if t.fate is Fate.OK and since <= t.answered_at <= until and is_late:
                    late.append(heard_at)
        return max(late) - since
