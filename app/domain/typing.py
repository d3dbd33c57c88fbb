"""Who is typing: an indicator lives five seconds, a refresh extends it in silence, and somebody always says when it ends.

The process that a device is connected to keeps its indicators and ends them; a note in Redis lets beat end those of a
process that died. Clients expire them by ``expiresAt`` besides.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
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

log = logging.getLogger(__name__)
Key = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Indicator:
    """Somebody types in a conversation."""

    actor_id: UUID
    is_customer: bool
    conversation_id: UUID
    started_at: datetime
    expires_at: datetime
    device: str | None = None  # on which they type
    noted_until: datetime | None = None  # what the note in Redis says

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
    actor: Actor,
    *,
    conversation_id: UUID,
    is_typing: bool,
    now: datetime,
    is_member: bool = False,
    device: str | None = None,
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
    return _extend(actor, conversation_id, now, device)


def _extend(actor: Actor, conversation_id: UUID, now: datetime, device: str | None) -> dict[str, Any]:
    key = (actor.id, conversation_id)
    expires_at = now + timedelta(seconds=limits.TYPING_TTL_S)
    live = _live.get(key)
    if live is not None:
        _live[key] = replace(live, expires_at=expires_at, device=device)
        metrics.typing("coalesced")
        return {"expiresAt": clock.wire(expires_at), "coalesced": True}
    if not _pace.take(key):
        metrics.typing("coalesced")
        return {"expiresAt": clock.wire(expires_at), "coalesced": True}
    begun = Indicator(actor.id, actor.kind == "customer", conversation_id, now, expires_at, device)
    _live[key] = begun
    _note(key, begun)
    emits.typing(begun.event(is_typing=True))
    metrics.typing("told")
    return {"expiresAt": clock.wire(expires_at), "coalesced": False}


def _note(key: Key, indicator: Indicator) -> None:
    try:
        notes.remember(_name(indicator), indicator.expires_at)
    except Down:
        return  # then only this process ends it
    if _live.get(key) is indicator:
        _live[key] = replace(indicator, noted_until=indicator.expires_at)


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


def stop_on_send(actor_id: UUID, conversation_id: str) -> None:
    """End the indicator of one who has sent; where nobody types, it costs nothing."""
    if _live:
        stop(actor_id, UUID(conversation_id))


def stop_on(device: str) -> None:
    """End what is typed on a device that has gone."""
    for key in [key for key, indicator in list(_live.items()) if indicator.device == device]:
        stop(*key)


def sent(event: Mapping[str, Any]) -> None:
    """Have the indicator end of one whose message was heard of: it may have been sent by another process than this one.

    It costs a look into a dictionary; the stop is said by the loop. Who began after the message goes on typing.
    """
    if not _live:
        return
    key = (UUID(event["senderId"]), UUID(event["conversationId"]))
    indicator = _live.get(key)
    if indicator is not None and clock.wire(indicator.started_at) <= event["createdAt"]:
        _live[key] = replace(indicator, expires_at=indicator.started_at)


def run(stopping: threading.Event) -> None:
    """Say the stop of what expires here, until told to end."""
    while not stopping.wait(limits.TYPING_LOOK_S):
        try:
            expire(now=clock.now())
        except Exception:
            log.exception("the end of typing could not be said; it goes on")


def expire(*, now: datetime) -> None:
    """Say the stop of this process's indicators that have expired; note those that were extended."""
    for key, indicator in list(_live.items()):
        if indicator.expires_at <= now:
            stop(*key)
        elif indicator.noted_until != indicator.expires_at:
            _note(key, indicator)


def clean_up(*, now: datetime) -> int:
    """Say the stop of indicators whose process died; gives how many (each is taken by one caller only)."""
    ended = notes.take_expired(now - timedelta(seconds=2))
    for name in ended:
        conversation_id, kind, actor_id = name.split("|")
        emits.typing(
            Indicator(UUID(actor_id), kind == "customer", UUID(conversation_id), now, now).event(is_typing=False)
        )
    return len(ended)
