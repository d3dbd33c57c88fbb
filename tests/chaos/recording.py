"""The history of a run: what was sent, what it was answered, who heard what and when. Devices write it, the checker reads.

Instants are seconds of this process's monotonic clock. Appending to a list and setting a key are safe between threads.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4, uuid5

from tests.chaos.line import Fate, Reply
from tests.model.reference import Reference
from tests.model.system import Send, provisional
from tests.model.wording import Wording


@dataclass
class Sending:
    """One message as its sender knows it. With ``is_kept`` it stays in an outbox until it is seen persisted."""

    send: Send
    is_kept: bool
    asked_at: list[float] = field(default_factory=list)
    acked_at: float | None = None
    longest_s: float = 0.0


@dataclass(frozen=True)
class Glimpse:
    """An event or an answer that reached someone whose membership is in question."""

    person: str
    at: float
    what: str
    message: str | None


@dataclass
class Recording:
    """Everything that the checker looks at, but for what the database holds."""

    words: Wording = field(default_factory=Wording)
    reference: Reference = field(default_factory=Reference)
    sendings: dict[str, Sending] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    silent: list[str] = field(default_factory=list)
    finals: set[tuple[str, int, int]] = field(default_factory=set)
    seen_at: dict[tuple[str, str], float] = field(default_factory=dict)
    glimpses: list[Glimpse] = field(default_factory=list)
    removals: list[tuple[float, float]] = field(default_factory=list)
    """Of the guest: when the removal was answered, and when the next adding was asked."""
    unreadable: list[str] = field(default_factory=list)
    namespace: UUID = field(default_factory=uuid4)
    faults: list[tuple[float, str]] = field(default_factory=list)

    def client_id(self, model_id: str) -> str:
        """Give the ``clientMessageId`` of a send."""
        return str(uuid5(self.namespace, model_id))

    def begin(self, send: Send, *, is_kept: bool) -> dict[str, Any]:
        """Note a try at a send; gives its payload."""
        sending = self.sendings.get(send.id)
        if sending is None:
            sender = next(own for own, name in self.words.people.items() if name == send.sender)
            self.words.messages[str(uuid5(UUID(sender), self.client_id(send.id)))] = send.id
            self.reference.try_send(send)
            self.reference.wanted.setdefault(send.id, provisional(send))
            sending = self.sendings[send.id] = Sending(send, is_kept)
        sending.asked_at.append(time.monotonic())
        target = next(own for own, name in self.words.conversations.items() if name == send.conversation)
        after = {"afterClientMessageId": self.client_id(send.after)} if send.after else {}
        return {
            "conversationId": target, "content": send.content, "clientMessageId": self.client_id(send.id), **after
        }  # fmt: skip

    def answer(self, send: Send, reply: Reply) -> None:
        """Note what became of a try."""
        now, sending = time.monotonic(), self.sendings[send.id]
        sending.longest_s = max(sending.longest_s, now - sending.asked_at[-1])
        self.answers[reply.error["code"] if reply.fate is Fate.REFUSED else reply.fate.value] += 1
        if reply.fate is Fate.SILENT:
            self.silent.append(f"{send.id} at {now:.1f}")
        if reply.fate is Fate.OK:
            sending.acked_at = sending.acked_at or now
            self.reference.accept(send)
