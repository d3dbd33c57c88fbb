"""The way from an emit to the sockets: one queue per publisher and process, each of which may lose or repeat."""

from __future__ import annotations

from collections import deque
from enum import Enum

from tests.model.system import PROCESSES, Emit, Event


class Fate(Enum):
    """What becomes of the next event of a queue."""

    ARRIVES = "arrives"
    TWICE = "arrives twice"
    LOST = "is lost"


class Network:
    """Keeps the order of one publisher's events to one process; between publishers there is none."""

    def __init__(self) -> None:
        self.queues: dict[tuple[str, str], deque[Event]] = {}

    def publish(self, emit: Emit) -> None:
        for process in PROCESSES if emit.only is None else [emit.only]:
            self.queues.setdefault((emit.origin, process), deque()).append(emit.event)

    def waiting(self) -> list[tuple[str, str]]:
        return [way for way, queue in self.queues.items() if queue]

    def take(self, way: tuple[str, str], fate: Fate) -> list[Event]:
        """The next event on this way, as often as it arrives."""
        event = self.queues[way].popleft()
        return [event] * {Fate.ARRIVES: 1, Fate.TWICE: 2, Fate.LOST: 0}[fate]

    def lose_all(self) -> None:
        self.queues.clear()
