"""Who is typing: an indicator lives five seconds, a refresh extends it in silence, and somebody always says when it ends.

The process that a device is connected to keeps its indicators and ends them; a note in Redis lets beat end those of a
process that died. Clients expire them by ``expiresAt`` besides.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from app.domain.access import member_of
from app.kernel import clock, limits, pace
from app.kernel.actor import Actor
from app.kernel.breaker import Down
from app.live import typing as notes
from app.models import transaction
from app.outbound import emits, metrics

Key = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Indicator:
    """Somebody types in a conversation."""

    actor_id: UUID
    is_customer: bool
    conversation_id: UUID
    started_at: datetime
    expires_at: datetime

    def event(self, *, is_typing: bool) -> dict[str, Any]:
        """Give the TypingIndicatorEvent of the contract."""
        return {
            "id": str(uuid5(self.actor_id, str(self.conversation_id))),
            "conversationId": str(self.conversation_id),
            "userId": None if self.is_customer else str(self.actor_id),
            "customerId": str(self.actor_id) if self.is_customer else None,
            "isTyping": is_typing,
            "startedAt": clock.wire(self.started_at),
            "expiresAt": clock.wire(self.expires_at),
        }


_live: dict[Key, Indicator] = {}
_pace = pace.Pace(limits.TYPING_PER_MINUTE / 60, limits.TYPING_PER_MINUTE)


def indicate(
    actor: Actor, *, conversation_id: UUID, is_typing: bool, now: datetime, is_member: bool = False
) -> dict[str, Any]:
    """Begin, extend or end one's indicator; gives ``{expiresAt, coalesced}``, coalesced where nobody was told.

    ``is_member`` says that the caller knows the membership to stand; else it is found, or NotFound raised.
    """
    if not is_member:
        with transaction(actor) as tx:
            member_of(tx, actor, conversation_id)
    if not is_typing:
        told = stop(actor.id, conversation_id)
        return {"expiresAt": clock.wire(now), "coalesced": not told}
    return _extend(actor, conversation_id, now)


def _extend(actor: Actor, conversation_id: UUID, now: datetime) -> dict[str, Any]:
    key = (actor.id, conversation_id)
    expires_at = now + timedelta(seconds=limits.TYPING_TTL_S)
    live = _live.get(key)
    if live is not None:
        _live[key] = replace(live, expires_at=expires_at)
        metrics.typing("coalesced")
        return {"expiresAt": clock.wire(expires_at), "coalesced": True}
    if not _pace.take(key):
        metrics.typing("coalesced")
        return {"expiresAt": clock.wire(expires_at), "coalesced": True}
    begun = Indicator(actor.id, actor.kind == "customer", conversation_id, now, expires_at)
    _live[key] = begun
    _note(begun)
    emits.typing(begun.event(is_typing=True))
    metrics.typing("told")
    return {"expiresAt": clock.wire(expires_at), "coalesced": False}


def _note(indicator: Indicator) -> None:
    try:
        notes.remember(_name(indicator), indicator.expires_at)
    except Down:
        pass  # then only this process ends it


def _name(indicator: Indicator) -> str:
    kind = "customer" if indicator.is_customer else "user"
    return f"{indicator.conversation_id}|{kind}|{indicator.actor_id}"


def stop(actor_id: UUID, conversation_id: UUID) -> bool:
    """End an indicator of this process, if there is one; tells whether there was."""
    indicator = _live.pop((actor_id, conversation_id), None)
    if indicator is None:
        return False
    try:
        notes.forget(_name(indicator))
    except Down:
        pass
    emits.typing(indicator.event(is_typing=False))
    return True


def stop_all(actor_id: UUID) -> None:
    """End all of someone's indicators here (the last device is gone)."""
    for key in [key for key in _live if key[0] == actor_id]:
        stop(*key)


def run(stopping: threading.Event) -> None:
    """Say the stop of what expires here, until told to end."""
    while not stopping.wait(limits.TYPING_LOOK_S):
        expire(now=clock.now())


def expire(*, now: datetime) -> None:
    """Say the stop of this process's indicators that have expired; note those that were extended."""
    for key, indicator in list(_live.items()):
        if indicator.expires_at <= now:
            stop(*key)
        else:
            _note(indicator)


def clean_up(*, now: datetime) -> int:
    """Say the stop of indicators whose process died; gives how many (each is taken by one caller only)."""
    ended = notes.take_expired(now - timedelta(seconds=2))
    for name in ended:
        conversation_id, kind, actor_id = name.split("|")
        emits.typing(
            Indicator(UUID(actor_id), kind == "customer", UUID(conversation_id), now, now).event(is_typing=False)
        )
    return len(ended)
