"""What a notice of another process does to the sockets that are here, and what is done again after a time of deafness."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

from app.domain import heads, sessions
from app.kernel.errors import DomainError, Unauthenticated
from app.kernel.ids import parse_id
from app.sockets import registry, rooms
from app.sockets.registry import Connection

log = logging.getLogger(__name__)
RECHECK_LOOK_S = 0.1
_recheck_due, _heads_due = threading.Event(), threading.Event()


def on_notice(notice: dict[str, Any]) -> None:
    """Carry out on the sockets of this process what another one made true."""
    kind = notice.get("kind")
    if kind in ("session", "role"):  # after another role what it may see is another matter; it comes back as what it is
        for connection in _concerned(notice):
            rooms.cut(connection)
    elif kind == "channels":
        for connection in _concerned(notice):
            rooms.let_go(connection, notice["channels"])
    elif kind == "member":
        for profile in notice["profileIds"]:
            _membership_changed(UUID(profile), UUID(notice["conversationId"]), ended=notice["ended"])


def _concerned(notice: dict[str, Any]) -> list[Connection]:
    """Give the sockets here of the session, or of the person, that a notice names."""
    if "sessionId" in notice:
        session_id = parse_id(notice["sessionId"])
        return registry.of_session(session_id) if session_id else []
    profile_id = parse_id(notice["profileId"])
    return registry.of_profile(profile_id) if profile_id else []


def _membership_changed(profile_id: UUID, conversation_id: UUID, *, ended: bool) -> None:
    """Put someone's sockets in or out. Notices come on two buses and may swap: the database says what holds."""
    registry.note_change(profile_id)
    for connection in registry.of_profile(profile_id) if ended else []:
        rooms.leave(connection, conversation_id)
    try:
        _as_the_database_says(profile_id, conversation_id)
    except DomainError:
        recheck_soon()


def _as_the_database_says(profile_id: UUID, conversation_id: UUID) -> None:
    while registry.of_profile(profile_id):
        before = registry.changes(profile_id)
        member = heads.membership(profile_id, conversation_id)
        if registry.changes(profile_id) != before:
            continue
        for connection in registry.of_profile(profile_id):
            if member is None:
                rooms.leave(connection, conversation_id)
            else:
                rooms.join(connection, conversation_id, member.history_from_seq, kind=member.kind)
        return


def recheck_soon() -> None:
    """Have all memberships and sessions read anew: this process has been deaf to notices for a while."""
    _recheck_due.set()


def tell_heads_soon() -> None:
    """Have every socket told where its conversations stand: emits of other processes may have been missed."""
    _heads_due.set()


def run_rechecks(stopping: threading.Event) -> None:
    """Do what is due, and again until it succeeds: the database may be away just then."""
    while not stopping.wait(RECHECK_LOOK_S):
        try:
            _if_due(_recheck_due, recheck_all)
            _if_due(_heads_due, rooms.tell_all_heads)
        except DomainError:
            pass  # the next turn
        except Exception:
            log.exception("a recheck failed; it is tried again")


def _if_due(due: threading.Event, step: Callable[[], None]) -> None:
    """Do a step that is due. What makes it due again meanwhile is not lost: it is cleared before, and set on failure."""
    if due.is_set():
        due.clear()
        try:
            step()
        except BaseException:
            due.set()
            raise


def recheck_all() -> None:
    """Read all memberships and sessions anew; raises Unavailable."""
    sessions.forget()
    for connection in registry.everyone():
        try:
            sessions.check(connection.actor)
            rooms.settle(connection)
        except Unauthenticated:
            rooms.cut(connection)
    rooms.tell_all_heads()
