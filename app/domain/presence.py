"""Who is here: per device, with a heartbeat; told once a person's state changes, and not when everybody reconnects.

A device that leaves has a grace of a few seconds before its person is told to be offline, so a quick mass reconnect tells
nothing, and a slow one is told together (``presence_news.py``). Changes beyond six a minute are not refused: the newest is
told as soon as it may.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text

from app.domain import presence_news
from app.domain.access import member_of
from app.domain.presence_news import News
from app.kernel import clock, limits
from app.kernel.actor import SYSTEM, Actor
from app.kernel.breaker import Down
from app.kernel.chunks import chunks
from app.kernel.gathering import Gathering
from app.live import presence as live
from app.models import transaction

log = logging.getLogger(__name__)
LAST_SEEN = text(
    "SELECT p.id, p.kind, s.last_seen_at FROM profiles p LEFT JOIN user_presence s ON s.profile_id = p.id"
    " WHERE p.id = ANY(CAST(:ids AS uuid[]))"
)
KNOWN_TO_ME = text(
    "SELECT DISTINCT other.profile_id FROM memberships me JOIN memberships other USING (conversation_id)"
    " WHERE me.profile_id = :me AND me.left_at IS NULL AND other.left_at IS NULL"
    " AND other.profile_id = ANY(CAST(:ids AS uuid[]))"
)
MEMBERS = text(
    "SELECT profile_id FROM memberships WHERE conversation_id = :c AND left_at IS NULL ORDER BY joined_at LIMIT 1000"
)
KEEP_SEEN = text(
    "INSERT INTO user_presence (profile_id, last_seen_at) SELECT seen.id, seen.at FROM unnest(CAST(:ids AS uuid[]),"
    " CAST(:at AS timestamptz[])) AS seen (id, at) JOIN profiles USING (id)"  # one who is gone must not cost the others
    " ORDER BY id ON CONFLICT (profile_id) DO UPDATE SET last_seen_at ="
    " GREATEST(user_presence.last_seen_at, excluded.last_seen_at)"
)
SEEN_STEP = 1000
AT_ONCE = 200


@dataclass(slots=True)
class Device:
    """A socket of this process and what it says of its person."""

    actor: Actor
    status: str
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Noting:
    """What is to be noted: a device's state, in which conversations its person is (where known), and whether more is new."""

    actor: Actor
    device: str
    status: str
    at: datetime
    rooms: Sequence[UUID] | None = None
    is_more: bool = False


_devices: dict[str, Device] = {}
_of_person: defaultdict[UUID, dict[str, Device]] = defaultdict(dict)
_leaving: dict[str, tuple[Actor, float]] = {}


def connected(actor: Actor, *, device: str, now: datetime, rooms: Sequence[UUID]) -> None:
    """Note a device that came, of one who is in these conversations."""
    _add(device, Device(actor, "online", {}))
    _noting.ask(Noting(actor, device, "online", now, rooms))


def _add(name: str, device: Device) -> Device:
    _devices[name] = _of_person[device.actor.id][name] = device
    return device


def disconnected(*, device: str) -> None:
    """Note a device that left; its person is told about after a grace."""
    gone = _devices.pop(device, None)
    if gone is not None:
        others = _of_person[gone.actor.id]
        others.pop(device, None)
        if not others:
            del _of_person[gone.actor.id]
        _leaving[device] = (gone.actor, time.monotonic() + limits.PRESENCE_GRACE_S)


def declare(actor: Actor, *, device: str, status: str, metadata: dict[str, Any] | None, now: datetime) -> str:
    """Say how a device's person is; gives the person's status over all devices."""
    known = _devices.get(device) or _add(device, Device(actor, status, {}))
    known.status = status
    is_more = metadata is not None and metadata != known.metadata
    if metadata is not None:
        known.metadata = metadata
    return _noting.ask(Noting(actor, device, status, now, is_more=is_more))


def _note(notings: Sequence[Noting]) -> list[str]:
    """Note devices' states; gives their people's. Who asks finds them at once; others are told of a change in a moment."""
    news, now = [], max((one.at for one in notings), default=clock.now())
    try:
        found = live.note([live.Noted(one.actor.id, one.device, one.status) for one in notings], now)
        for one, (current, told) in zip(notings, found, strict=True):
            if current != told or one.is_more:
                event = describe(one.actor.kind, one.actor.id, current, now, _metadata(one.actor))
                news.append(News(one.actor.id, event, told, one.rooms, is_more=one.is_more))
        live.told({new.profile_id: new.event for new in news})
    except Down:
        return [one.status for one in notings]  # presence is known again when Redis is
    for told_soon in news:
        presence_news.gather(told_soon)
    return [current for current, _ in found]


_noting: Gathering[Noting, str] = Gathering(_note, at_most=AT_ONCE, expects_more=True)  # many come at once


def _metadata(actor: Actor) -> dict[str, Any]:
    return next((device.metadata for device in _of_person.get(actor.id, {}).values() if device.metadata), {})


def describe(
    kind: str, profile_id: UUID, status: str, seen_at: datetime | None, metadata: dict[str, Any]
) -> dict[str, Any]:
    """Make a PresenceEvent."""
    return {
        "id": str(uuid5(profile_id, "presence")),
        "userId": None if kind == "customer" else str(profile_id),
        "customerId": str(profile_id) if kind == "customer" else None,
        "status": status,
        "lastSeenAt": clock.wire(seen_at) if seen_at else None,
        "metadata": metadata,
    }


# loops ----------------------------------------------------------------------------------------------------------------
def run(stopping: threading.Event) -> None:
    """Keep this process's devices alive, and tell what waits to be told, until told to end."""
    beat_at = time.monotonic()
    while not stopping.wait(limits.PRESENCE_LOOK_S):
        _safely(_settle)
        if time.monotonic() - beat_at > live.TTL_S / 3:
            beat_at = time.monotonic()
            _safely(_beat)


def _safely(step: Callable[[], None]) -> None:
    try:
        step()
    except Exception:
        log.exception("presence failed; it goes on")


def _settle() -> None:
    due = [(device, actor) for device, (actor, at) in list(_leaving.items()) if at <= time.monotonic()]
    for some in chunks(due, AT_ONCE):
        for device, _ in some:
            _leaving.pop(device, None)
        now = clock.now()
        _note([Noting(actor, device, "gone", now) for device, actor in some])
    presence_news.flush()


def _beat() -> None:
    """Say again how every device here is, many at a time: what changes meanwhile must not wait long to be told."""
    for some in chunks(list(_devices), AT_ONCE):
        here, now = [(name, _devices[name]) for name in some if name in _devices], clock.now()
        _note([Noting(device.actor, name, device.status, now) for name, device in here])
        presence_news.flush()


# reading --------------------------------------------------------------------------------------------------------------
def of_people(actor: Actor, *, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Give the presence of people whom the actor shares a conversation with; of others nothing."""
    with transaction(actor) as tx:
        visible = [row.profile_id for row in tx.execute(KNOWN_TO_ME, {"me": actor.id, "ids": [str(i) for i in ids]})]
        if actor.id in ids and actor.id not in visible:
            visible.append(actor.id)
    return _of(visible)


def of_members(actor: Actor, *, conversation_id: UUID) -> list[dict[str, Any]]:
    """Give the presence of a conversation's members (the first thousand)."""
    with transaction(actor) as tx:
        member_of(tx, actor, conversation_id)
        members = [row.profile_id for row in tx.execute(MEMBERS, {"c": conversation_id})]
    return _of(members)


def _of(profile_ids: Iterable[UUID]) -> list[dict[str, Any]]:
    wanted = list(profile_ids)
    try:
        known = live.of(wanted)
    except Down:
        known = {}
    with transaction(SYSTEM) as tx:
        rows = {row.id: row for row in tx.execute(LAST_SEEN, {"ids": [str(i) for i in wanted]})}
    return [known.get(i) or describe(rows[i].kind, i, "offline", rows[i].last_seen_at, {}) for i in wanted if i in rows]


def lately(profile_ids: Sequence[UUID]) -> tuple[set[UUID], dict[UUID, datetime]]:
    """Tell who of these is connected, and when others were last seen since the last flush. Raises Down."""
    return live.lately(profile_ids)


def flush_seen(*, at_most_s: float = 10) -> int:
    """Write who was seen when into the database; gives how many (a job: safe to run twice).

    A note is taken away only once it is written, and only if it has not changed since.
    """
    deadline, written, some = time.monotonic() + at_most_s, 0, SEEN_STEP
    while some == SEEN_STEP and time.monotonic() < deadline:
        notes = live.seen(SEEN_STEP)
        some = len(notes)
        if notes:
            with transaction(SYSTEM) as tx:
                tx.change(KEEP_SEEN, {"ids": list(notes), "at": list(notes.values())})
            live.forget_seen(notes)
        written += some
    return written
