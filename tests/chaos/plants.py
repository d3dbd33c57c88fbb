"""Faults that the launcher plants into processes of the harness: what Parley would be without one of its safeguards."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from typing import Any

from app.extensions import redis
from app.live import log
from app.outbound import emits
from app.outbound.fanout import FanoutManager

DROPPED = 0.05


def pop_the_log() -> None:
    """List and pop instead of the log: what is drained lies in the drainer's memory alone until it is committed."""
    read, settle = log.read, log.settle
    held: list[log.Entry] = []

    def pop(count: int = 500) -> tuple[list[log.Entry], list[log.Broken]]:
        if not held:
            entries, broken = read(count)
            for entry in entries:
                redis.log.hdel(f"pending:{entry.event['conversationId']}", entry.event["id"])
            if entries:
                redis.log.xdel(log.STREAM, *[entry.place for entry in entries])
            held.extend(entries)
            return list(held), broken
        return list(held), []

    def settle_held(entries: list[log.Entry]) -> None:
        held.clear()
        settle(entries)

    log.read, log.settle = pop, settle_held


def drop_emits() -> None:
    """Lose one emit in twenty on its way from a web process to its sockets; no process knows of it."""
    participants, chance = FanoutManager.get_participants, random.Random(os.getpid())

    def fewer(self: FanoutManager, namespace: str, room: Any) -> Iterator[Any]:
        if chance.random() > DROPPED:
            yield from participants(self, namespace, room)

    FanoutManager.get_participants = fewer


def say_no_heads() -> None:
    """Never tell anybody where a conversation stands."""
    emits.heads = lambda *_, **__: None


PLANTS: dict[str, Callable[[], None]] = {
    "pop the log": pop_the_log,
    "drop emits": drop_emits,
    "say no heads": say_no_heads,
}
