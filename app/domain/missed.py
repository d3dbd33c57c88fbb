"""What people missed, from the database: those who ask at the same moment are answered together, as of one moment.

After a loss of the cache everybody comes back to it. Those of a conversation mostly missed the same, which is read and encoded
once; nobody costs a query of their own.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from app.domain.access import member_of
from app.kernel import json
from app.kernel.actor import SYSTEM, Actor
from app.kernel.breaker import Down
from app.kernel.errors import NotFound
from app.kernel.gathering import Gathering
from app.live import hot
from app.models import transaction
from app.queries import missed as views
from app.queries.messages import Place

TOGETHER_MAX = 16  # with a page of 200 each these are 3,200 messages: what a query may take and a process hold
NOTHING = ("", 0)  # the place of one who has received nothing
KEPT_S, KEPT_EVENTS_MAX = 1.0, 8_000


class Part(NamedTuple):
    """A page of what was missed, as it goes over the wire; several people may be given the same one."""

    encoded: list[bytes]
    up_to: int
    more: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A member's page, and where they stand."""

    standing: views.Standing
    part: Part


class _Asked(NamedTuple):
    profile_id: UUID
    conversation_id: UUID
    after: int | None
    limit: int
    is_member: bool = False


def read(actor: Actor, conversation_id: UUID, *, after: int | None, limit: int, is_member: bool = False) -> Found:
    """Read what was created or changed after a position (without it: after what was received last).

    Of a conversation in which the actor is known to be a member, the cache learns where it stands, if it did not know: after a
    quiet day, or a loss, it answers the next one. Raises NotFound, and Unavailable.
    """
    asked = _Asked(actor.id, conversation_id, after, limit, is_member)
    found = _asking.ask(asked)
    if found is None:
        with transaction(actor) as tx:  # a customer's conversation takes in whoever of the staff asks for it
            member_of(tx, actor, conversation_id)
        found = _asking.ask(asked)
    if found is None:
        raise NotFound("The conversation")
    return found


def standing(profile_id: UUID, conversation_id: UUID) -> views.Standing | None:
    """Read where a member stands; None for no member. Raises Unavailable."""
    return _standing.ask((profile_id, conversation_id))


def _standings(asked: Sequence[tuple[UUID, UUID]]) -> list[views.Standing | None]:
    with transaction(SYSTEM) as tx:
        standings = views.standings(tx, asked)
    _note_standings(zip(asked, standings, strict=True))
    return standings


def _read_all(asked: Sequence[_Asked]) -> list[Found | None]:
    marks = _unknown({one.conversation_id for one in asked if one.is_member})
    with transaction(SYSTEM, snapshot=True) as tx:
        standings = views.standings(tx, [(one.profile_id, one.conversation_id) for one in asked])
        windows = [_window(one, standing) for one, standing in zip(asked, standings, strict=True)]
        heads = {
            window: standing.head_seq
            for window, standing in zip(windows, standings, strict=True)
            if window and standing
        }
        parts = _still_true(heads)
        rows = views.rows(tx, [window for window in heads if window not in parts])
    _found(marks, {one.conversation_id: standing for one, standing in zip(asked, standings, strict=True) if standing})
    _note_standings(
        ((one.profile_id, one.conversation_id), standing) for one, standing in zip(asked, standings, strict=True)
    )
    for window, found in rows.items():
        parts[window] = _keep(window, _part(found, window.limit), heads[window])
    return [
        Found(standing, parts[window]) if standing and window else None
        for standing, window in zip(standings, windows, strict=True)
    ]


def _unknown(conversation_ids: Collection[UUID]) -> dict[str, bytes]:
    """Mark the heads that the cache does not know: before they are read, or one who commits meanwhile might be forgotten."""
    try:
        return hot.unknown(conversation_ids)
    except Down:
        return {}


def _found(marks: Mapping[str, bytes], standings: Mapping[UUID, views.Standing]) -> None:
    stands = {
        str(one): (standing.head_seq, standing.newest) for one, standing in standings.items() if str(one) in marks
    }
    try:
        hot.found(marks, stands)
    except Down:
        pass  # the next one who asks, or commits, finds it out


def _note_standings(found: Iterable[tuple[tuple[UUID, UUID], views.Standing | None]]) -> None:
    note_received({who: standing.received or NOTHING for who, standing in found if standing})


def note_received(places: Mapping[tuple[UUID, UUID], Place]) -> None:
    """Tell the cache, once the database has it, at which messages the received positions of these people stand (each in a
    conversation, which comes second), so that the next time it is asked.
    """
    try:
        hot.received(places)
    except Down:
        pass  # the database has it


_kept: dict[views.Window, tuple[float, int, Part]] = {}


def _still_true(heads: Mapping[views.Window, int]) -> dict[views.Window, Part]:
    """Give the pages read a moment ago of conversations that stand where they stood: each change moves the head."""
    now = time.monotonic()
    for window in [window for window, (until, _, _) in _kept.items() if until < now]:
        del _kept[window]
    return {window: _kept[window][2] for window, head in heads.items() if window in _kept and _kept[window][1] == head}


def _keep(window: views.Window, part: Part, head: int) -> Part:
    if sum(len(kept.encoded) for _, _, kept in _kept.values()) + len(part.encoded) > KEPT_EVENTS_MAX:
        _kept.clear()
    _kept[window] = (time.monotonic() + KEPT_S, head, part)
    return part


def forget() -> None:
    """Forget the pages that were read a moment ago."""
    _kept.clear()


def _window(asked: _Asked, standing: views.Standing | None) -> views.Window | None:
    if standing is None:
        return None
    after = standing.received_seq if asked.after is None else asked.after
    return views.Window(asked.conversation_id, after, standing.history_from_seq, asked.limit)


def _part(rows: Sequence[Any], limit: int) -> Part:
    time.sleep(0)  # a page takes milliseconds: let others have a turn between two
    events, up_to, more = views.page(rows, limit)
    return Part([json.dump_bytes(event) for event in events], up_to, more)


_asking: Gathering[_Asked, Found | None] = Gathering(_read_all, at_most=TOGETHER_MAX, turns=2, expects_more=True)
_standing: Gathering[tuple[UUID, UUID], views.Standing | None] = Gathering(_standings, turns=2, expects_more=True)
