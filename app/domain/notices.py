"""What a process does on hearing a notice of another one (``outbound/bus.py``)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.domain import relay, trust
from app.kernel.breaker import Down
from app.kernel.ids import parse_id
from app.live import hot, membership


def carry_out(notice: dict[str, Any]) -> None:
    """Forget what the notice makes stale. The sockets' part of it is the transport's."""
    kind = notice.get("kind")
    if kind == "session":
        trust.forget(parse_id(notice["sessionId"]))
    elif kind in ("profile", "role"):
        trust.forget_person(UUID(notice["profileId"]))
    elif kind in ("member", "memberships"):
        _evict(notice)
    elif kind == "head":
        _distrust(notice)


def _evict(notice: dict[str, Any]) -> None:
    conversations = notice.get("conversationIds") or [notice["conversationId"]]
    people = notice.get("profileIds") or [notice["profileId"]]
    try:
        membership.evict([(UUID(c), UUID(p)) for c in conversations for p in people])
    except Down:
        pass  # the log's Redis is away here: this process accepts nothing from it


def _distrust(notice: dict[str, Any]) -> None:
    try:
        hot.distrust([notice["conversationId"]])
    except Down:
        pass  # it cannot be read here either; whoever can reach it throws it away
    relay.moved(notice["conversationId"], notice["headSeq"])
