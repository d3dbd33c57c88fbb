"""What was missed in conversations, by any number of people: their standings with one question, the messages with another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from app.kernel.events import MessageEvent
from app.models import Transaction
from app.models.arrays import array
from app.queries import messages

STANDINGS = text(
    "SELECT me.profile_id, me.conversation_id, me.history_from_seq, me.received_seq, c.head_seq,"
    " (SELECT (m.id, m.seq)::text FROM messages m WHERE m.conversation_id = c.id AND m.seq <= me.received_seq"
    "  ORDER BY m.seq DESC LIMIT 1) AS received,"
    " (SELECT (m.id, m.seq)::text FROM messages m WHERE m.conversation_id = c.id ORDER BY m.seq DESC LIMIT 1) AS latest"
    " FROM unnest(CAST(:people AS uuid[]), CAST(:conversations AS uuid[])) AS asked(profile_id, conversation_id)"
    " JOIN memberships me USING (profile_id, conversation_id) JOIN conversations c ON c.id = me.conversation_id"
    " WHERE me.left_at IS NULL AND c.deleted_at IS NULL"
)
CHANGES = text(
    "SELECT asked.number, c.head_seq, w.* FROM unnest(CAST(:conversations AS uuid[]), CAST(:pivots AS bigint[]),"
    " CAST(:floors AS bigint[]), CAST(:limits AS bigint[]))"
    " WITH ORDINALITY AS asked(target, pivot, floor, most, number)"
    " JOIN conversations c ON c.id = asked.target LEFT JOIN LATERAL ("
    f"SELECT {messages.COLUMNS} {messages.FROM} WHERE m.conversation_id = asked.target"
    " AND m.changed_seq > asked.pivot AND m.seq > asked.floor ORDER BY m.changed_seq, m.seq LIMIT asked.most) w ON true"
    " ORDER BY asked.number, w.changed_seq, w.seq"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a member stands in a conversation, and where it stands itself; messages as (id, seq)."""

    history_from_seq: int
    received_seq: int
    head_seq: int
    received: messages.Place | None
    latest: messages.Place | None
    newest: messages.Place | None  # which this member may not be shown


class Window(NamedTuple):
    """What a member asks for: changes after a position, of messages above what they may not see, so many at most."""

    conversation_id: UUID
    after: int
    floor: int
    limit: int


def standings(tx: Transaction, asked: Sequence[tuple[UUID, UUID]]) -> list[Standing | None]:
    """Read where each (person, conversation) stands; None for no member."""
    values = {"people": array(one for one, _ in asked), "conversations": array(one for _, one in asked)}
    found = {(row.profile_id, row.conversation_id): _standing(row) for row in tx.execute(STANDINGS, values)}
    return [found.get(pair) for pair in asked]


def _standing(row: Any) -> Standing:
    """Make one of a row. Who may not see a conversation's beginning is shown no place in it."""
    newest = messages.place(row.latest)
    received, latest = (
        place if place is not None and place[1] > row.history_from_seq else None
        for place in (messages.place(row.received), newest)
    )
    return Standing(row.history_from_seq, row.received_seq, row.head_seq, received, latest, newest)


def changes(tx: Transaction, window: Window) -> tuple[list[MessageEvent], int, bool]:
    """Read what was created or changed in a window: (events by change, up to which position, whether there is more)."""
    return page(rows(tx, [window])[window], window.limit)


def rows(tx: Transaction, windows: Sequence[Window]) -> dict[Window, list[Any]]:
    """Read what was created or changed in some windows, with one query; ``page`` makes events of a window's rows."""
    values = {
        "conversations": array(w.conversation_id for w in windows),
        "pivots": array(w.after for w in windows),
        "floors": array(w.floor for w in windows),
        "limits": array(w.limit + 2 for w in windows),
    }
    found = groupby(tx.execute(CHANGES, values).all(), key=lambda row: row.number) if windows else ()
    return {windows[number - 1]: list(of_window) for number, of_window in found}


def page(found: Sequence[Any], limit: int) -> tuple[list[MessageEvent], int, bool]:
    """Give a window's events by change, up to which position they reach, and whether there is more.

    A reply and its root share a position; a page never ends between the two.
    """
    events = [messages.event(row) for row in found if row.id is not None]
    kept = events if len(events) <= limit else _whole_positions(events, limit)
    more = len(kept) < len(events)
    return kept, (kept[-1]["changedSeq"] or 0) if more else found[0].head_seq, more


def _whole_positions(events: Sequence[MessageEvent], limit: int) -> list[MessageEvent]:
    end = limit
    while end > 0 and events[end]["changedSeq"] == events[end - 1]["changedSeq"]:
        end -= 1
    if end == 0:  # the very first position does not fit: give it whole all the same
        first = events[0]["changedSeq"]
        end = sum(1 for found in events if found["changedSeq"] == first)
    return list(events[:end])
