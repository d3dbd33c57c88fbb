"""Faults that the launcher plants into processes of the harness: what Parley would be without one of its safeguards."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

from app.extensions import redis
from app.live import log
from app.outbound import emits
from app.outbound.fanout import FanoutManager

DROPPED = 0.05
_chance = random.Random(os.getpid())


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
    """Lose one emit in twenty on its way to a process's sockets."""
    handle, emit = FanoutManager._handle_emit, FanoutManager.emit

    def handle_most(self: FanoutManager, message: dict[str, Any]) -> None:
        if _chance.random() > DROPPED:
            handle(self, message)

    def emit_most(self: FanoutManager, event: str, data: Any, **more: Any) -> None:
        if not (more.get("ignore_queue") and _chance.random() < DROPPED):
            emit(self, event, data, **more)

    FanoutManager._handle_emit = handle_most  # type: ignore[method-assign]
    FanoutManager.emit = emit_most  # type: ignore[method-assign, assignment]


def say_no_heads() -> None:
    """Never tell anybody where a conversation stands."""
    emits.heads = lambda *_, **__: None


PLANTS: dict[str, Callable[[], None]] = {
    "pop the log": pop_the_log,
    "drop emits": drop_emits,
    "say no heads": say_no_heads,
}
