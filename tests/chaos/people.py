"""Devices of members, each a thread: they write, resend, come and go, and follow by the protocol's sections 6 and 7."""

from __future__ import annotations

import queue
import random
import threading
import time
from dataclasses import dataclass
from typing import Any

from tests.chaos.line import Fate, Line, NoLine
from tests.chaos.recording import Recording
from tests.model.client import Client
from tests.model.system import CONVERSATIONS, Answer, Head, Message, Send

GAP_S = 0.3
PAGE = 100


@dataclass(frozen=True)
class Habits:
    """How a device behaves: seconds between two messages (0: it writes none), and of one stay (0: it stays)."""

    write_every_s: float = 0.0
    stay_s: float = 0.0
    away_s: float = 1.0
    resends: bool = True


class Device(threading.Thread, Client):
    """One device of one member; ``quiet`` has it write no more, ``end`` hang up for good."""

    def __init__(
        self, name: str, person: str, token: str, urls: list[str], record: Recording, habits: Habits, seed: str
    ) -> None:
        threading.Thread.__init__(self, name=name, daemon=True)
        Client.__init__(self, name, person)
        self.token, self.urls, self.record, self.habits = token, urls, record, habits
        self.chance = random.Random(seed)
        self.line: Line | None = None
        self.quiet, self.end = threading.Event(), threading.Event()
        self.told: list[str] = []
        self.behind_since: dict[str, float] = {}
        self.failure: Exception | None = None
        self.leaves_at = self.writes_at = 0.0

    def run(self) -> None:
        """Live until told to end."""
        try:
            while not self.end.is_set():
                self._live()
        except Exception as error:  # noqa: BLE001 - the checker tells
            self.failure = error
        finally:
            if self.line is not None:
                self.line.close()

    def is_at_rest(self, heads: dict[str, int]) -> bool:
        """Tell whether it is connected, has sent all it wrote, and holds these positions."""
        waiting = any(outbox.waiting for outbox in self.outboxes.values())
        return self.line is not None and not waiting and all(self.views[c].position == heads[c] for c in heads)

    # One turn.

    def _live(self) -> None:
        if self.line is None or not self.line.is_open:
            self._connect()
            return
        self._take_events()
        if not self.quiet.is_set():
            self._write()
            self._come_and_go()
        if self.line is not None:
            self._send_next()
            self._catch_up()

    def _connect(self) -> None:
        self.process = None
        try:
            self.line = Line(self.chance.choice(self.urls), self.token)
        except NoLine:
            self.line = None
            self.end.wait(self.chance.uniform(0.05, 0.5))
            return
        if not self.habits.resends:
            for outbox in self.outboxes.values():
                outbox.waiting.clear()
        self.connect(self.line.url)
        self.behind_since = dict.fromkeys(CONVERSATIONS, 0.0)
        stay_s = self.habits.stay_s
        self.leaves_at = time.monotonic() + self.chance.expovariate(1 / stay_s) if stay_s else 0.0

    def _hang_up(self) -> None:
        self.process = None
        if self.line is not None:
            self.line.close()
        self.line = None

    def _come_and_go(self) -> None:
        if self.leaves_at and time.monotonic() > self.leaves_at:
            self._hang_up()
            self.end.wait(self.chance.uniform(0, 2 * self.habits.away_s))

    # Hearing.

    def _take_events(self) -> None:
        assert self.line is not None
        wait_s = 0.02
        while True:
            try:
                name, body = self.line.heard.get(timeout=wait_s)
            except queue.Empty:
                return
            wait_s = 0.0001
            self._take(name, body)

    def _take(self, name: str, body: Any) -> None:
        words = self.record.words
        if name in ("message", "message:changed") and body["conversationId"] in words.conversations:
            self._take_message(body)
        elif name == "heads":
            for own, head in body["heads"].items():
                if own in words.conversations:
                    self.hear(Head(words.conversations[own], head["headSeq"]))
        self._note_gaps()

    def _take_message(self, body: Any) -> None:
        try:
            message = self.record.words.message(body)
        except KeyError as error:
            self.record.unreadable.append(f"{error!r} in {body}")
            return
        if message.seq is not None:
            self.record.finals.add((message.id, message.seq, message.changed_seq))
        self.hear(message)

    def seen(self, event: Any) -> None:
        """Take a persisted message out of the outbox, and note when it was first seen here."""
        super().seen(event)
        if isinstance(event, Message) and event.persisted:
            self.record.seen_at.setdefault((self.device, event.id), time.monotonic())

    def _note_gaps(self) -> None:
        for conversation, view in self.views.items():
            if view.behind:
                self.behind_since.setdefault(conversation, time.monotonic())

    def _catch_up(self) -> None:
        for conversation, since in list(self.behind_since.items()):
            view = self.views[conversation]
            if not view.behind:
                del self.behind_since[conversation]
            elif time.monotonic() - since > GAP_S and not self._sync(conversation):
                return

    def _sync(self, conversation: str) -> bool:
        assert self.line is not None
        own = next(i for i, name in self.record.words.conversations.items() if name == conversation)
        view = self.views[conversation]
        after = view.position
        reply = self.line.ask("sync", {"conversationId": own, "after": after, "limit": PAGE})
        if reply.fate is Fate.SILENT:
            self.record.silent.append(f"a sync of {self.device}")
        if reply.fate is not Fate.OK:
            self.record.answers["sync " + (reply.error.get("code") or reply.fate.value)] += 1
            self.behind_since[conversation] = time.monotonic()
            return False
        messages = tuple(map(self.record.words.message, reply.data["messages"]))
        self.record.finals.update((m.id, m.seq, m.changed_seq) for m in messages if m.seq is not None)
        answer = Answer(messages, reply.data["upToSeq"], reply.data["hasMore"])
        self.take_answer(conversation, answer, fresh=False, after=after)
        return True

    # Writing.

    def _write(self) -> None:
        while self.told:
            self.write(self.told.pop(), f"{self.device} says {self.written + 1}")
        now = time.monotonic()
        if self.habits.write_every_s and now >= self.writes_at:
            self.writes_at = now + self.chance.uniform(0, 2 * self.habits.write_every_s)
            self.write(self.chance.choice(CONVERSATIONS), f"{self.device} says {self.written + 1}")

    def _send_next(self) -> None:
        for conversation, outbox in self.outboxes.items():
            send = outbox.next()
            if send is not None and self.line is not None and self.line.is_open:
                self._try(conversation, send)

    def _try(self, conversation: str, send: Send) -> None:
        assert self.line is not None
        payload = self.record.begin(send, is_kept=True)
        reply = self.line.ask("message:send", payload)
        self.record.answer(send, reply)
        if reply.fate is Fate.OK:
            self.take_ack(self.record.words.message(reply.data["message"]))
        elif reply.fate is Fate.REFUSED:
            self._take_refusal(conversation, send, reply.error)
        elif not self.habits.resends:
            self.outboxes[conversation].remove(send.id)

    def _take_refusal(self, conversation: str, send: Send, error: dict[str, Any]) -> None:
        self.take_refusal(send, error["code"])
        if not self.habits.resends:
            self.outboxes[conversation].remove(send.id)
        elif not error["temporary"]:
            self.record.unreadable.append(f"{send.id} was refused for good: {error}")
        self.end.wait(self.chance.uniform(0.02, 0.2))
