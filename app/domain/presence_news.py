"""Telling how people are: gathered for a moment, so that a mass reconnect is told in few packets.

Every change told to everybody by itself is N² packets when N people of one room come back together. Here what changes and
changes back within a moment is not told at all; and where many of one conversation changed, each subscriber hears them
in one packet: a PresenceEvent that carries the rest as ``more``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.kernel import limits, pace
from app.kernel.actor import SYSTEM
from app.kernel.errors import DomainError
from app.models import transaction
from app.outbound import emits, metrics

ROOMS = text(
    "SELECT me.profile_id, me.conversation_id FROM memberships me JOIN conversations c ON c.id = me.conversation_id"
    " WHERE me.profile_id = ANY(CAST(:ids AS uuid[])) AND me.left_at IS NULL AND c.deleted_at IS NULL"
)
SINGLY_MAX = 20  # changes of one conversation in one flush
TOGETHER_MAX = 200  # in one packet


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told of somebody; ``was`` is what was told last, ``rooms`` their conversations where known."""

    profile_id: UUID
    event: dict[str, Any]
    was: str
    rooms: Sequence[UUID] | None = None
    is_more: bool = False  # something besides the state is new

    @property
    def is_worth_telling(self) -> bool:
        """Tell whether anybody would learn anything from it."""
        return self.is_more or self.event["status"] != self.was


_waiting: dict[UUID, News] = {}
_pace = pace.Pace(limits.PRESENCE_PER_MINUTE / 60, limits.PRESENCE_PER_MINUTE)


def gather(news: News) -> None:
    """Have something told at the next flush; what was told before all that waits is what it is compared with."""
    earlier = _waiting.get(news.profile_id)
    if earlier is not None:
        rooms = news.rooms if news.rooms is not None else earlier.rooms
        news = replace(news, was=earlier.was, is_more=news.is_more or earlier.is_more, rooms=rooms)
    if earlier is None and _pace.wait_s(news.profile_id) > 0:
        metrics.presence("put off")
    _waiting[news.profile_id] = news


def flush() -> int:
    """Tell what waits, of everybody who may be told of now; gives of how many. What cannot be told waits on."""
    due = [news for news in list(_waiting.values()) if _pace.wait_s(news.profile_id) == 0]
    for news in due:
        _waiting.pop(news.profile_id, None)
    worth = [news for news in due if news.is_worth_telling]
    if not worth:
        return 0
    try:
        rooms = _rooms(worth)
    except DomainError:
        for news in worth:
            _waiting.setdefault(news.profile_id, news)
        return 0
    for news in worth:
        _pace.take(news.profile_id)
        metrics.presence("told")
    with emits.together():
        _tell(worth, rooms)
    return len(worth)


def _rooms(worth: Sequence[News]) -> dict[UUID, list[UUID]]:
    rooms: dict[UUID, list[UUID]] = defaultdict(list)
    unknown = []
    for news in worth:
        if news.rooms is None:
            unknown.append(str(news.profile_id))
        else:
            rooms[news.profile_id] = list(news.rooms)
    if unknown:
        with transaction(SYSTEM) as tx:
            for row in tx.execute(ROOMS, {"ids": unknown}):
                rooms[row.profile_id].append(row.conversation_id)
    return rooms


def _tell(worth: Sequence[News], rooms: dict[UUID, list[UUID]]) -> None:
    by_room: dict[UUID, list[News]] = defaultdict(list)
    for news in worth:
        for room in rooms[news.profile_id]:
            by_room[room].append(news)
    for news in worth:
        few = [f"presence:{room}" for room in rooms[news.profile_id] if len(by_room[room]) <= SINGLY_MAX]
        emits.presence(news.event, few)
    for room, many in by_room.items():
        if len(many) > SINGLY_MAX:
            for start in range(0, len(many), TOGETHER_MAX):
                first, *more = (news.event for news in many[start : start + TOGETHER_MAX])
                emits.presences({**first, "more": more}, f"presence:{room}")
