"""Faults planted into the real parts: each child of `real.py` that is told a name carries that defect."""

from __future__ import annotations

from collections.abc import Callable

from app.extensions import redis
from app.live import log
from app.sockets import notices


def settle_all() -> None:
    """The drain empties the log instead of taking out exactly what it has committed."""
    log.settle = lambda _: redis.log.delete(log.STREAM)


def ignore_removals() -> None:
    """A web process carries out no notice of a membership that has ended."""
    notices.NOTICES = {kind: act for kind, act in notices.NOTICES.items() if kind != "member"}


PLANTS: dict[str, Callable[[], None]] = {"settle all": settle_all, "ignore removals": ignore_removals}
