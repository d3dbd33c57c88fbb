"""One who connects: who it is and where all their conversations stand, from one question to the database.

After a restart everybody comes at once, and each further question would be asked as many times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain import delivery, trust
from app.domain.delivery import Standing
from app.domain.trust import Known
from app.kernel import clock
from app.kernel.actor import SYSTEM, Actor
from app.kernel.gathering import Gathering
from app.models import transaction

LOAD = text(
    "SELECT s.id AS session_id, s.nonce, s.expires_at, s.profile_id, p.username, p.display_name, p.avatar_url, u.role,"
    " c.id, c.kind, c.head_seq, c.version, me.received_seq, me.read_seq, me.history_from_seq"
    " FROM sessions s JOIN profiles p ON p.id = s.profile_id JOIN users u ON u.profile_id = p.id"
    " LEFT JOIN (memberships me JOIN conversations c ON c.id = me.conversation_id AND c.deleted_at IS NULL)"
    " ON me.profile_id = s.profile_id AND me.left_at IS NULL"
    " WHERE s.id = ANY(CAST(:ids AS uuid[])) AND s.revoked_at IS NULL AND s.expires_at > :now AND p.disabled_at IS NULL"
    " ORDER BY c.active_at DESC, c.id DESC"
)


@dataclass(slots=True)
class Arrival:
    """Somebody at the door. ``session`` answers what is asked to know them, and reads on the way what is asked next."""

    _standings: list[Standing] | None = None

    def session(self, session_id: UUID) -> Known:
        """Give what is known of a live session, as ``trust.session`` does; raises Unauthenticated."""
        return trust.session(session_id, read=lambda until: self._read(session_id, until))

    def _read(self, session_id: UUID, until: float) -> Known | None:
        rows = _arriving.ask(session_id)
        self._standings = [Standing.of(row) for row in rows if row.id is not None]
        return trust.known_session(session_id, rows[0], until) if rows else None

    def standings(self, actor: Actor) -> list[Standing]:
        """Give where all their conversations stand, newest activity first; raises Unavailable."""
        return self._standings if self._standings is not None else delivery.standings(actor)


def _read_all(session_ids: Sequence[UUID]) -> list[list[Any]]:
    """Read the sessions of all who come at the same moment, and where their conversations stand: a process went away."""
    found: dict[UUID, list[Any]] = {session_id: [] for session_id in session_ids}
    with transaction(SYSTEM) as tx:
        for row in tx.alone(LOAD, {"ids": [str(one) for one in session_ids], "now": clock.now()}):
            found[row.session_id].append(row)
    return [found[session_id] for session_id in session_ids]


_arriving: Gathering[UUID, list[Any]] = Gathering(_read_all, turns=2, expects_more=True)
