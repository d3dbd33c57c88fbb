"""What a notice of another process does to the sockets that are here, and what is done again after a time of deafness."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from app.domain import heads, hearing, relay, trust
from app.kernel.errors import DomainError
from app.sockets import registry, rooms, standing

log = logging.getLogger(__name__)
RECHECK_LOOK_S = 0.1
AGAIN_AFTER_S = 1.0  # longer than the others believe what they know of who listens (``outbound/fanout.py``)
FETCH_EVERY_S = 0.5
_recheck_due, _heads_due = threading.Event(), threading.Event()
_heads_due_again: list[float] = []
_joined: set[str] = set()  # conversations that were entered before this process could hear what is said there


def on_notice(notice: dict[str, Any]) -> None:
    """Carry out on the sockets of this process what another one made true."""
    carry_out = NOTICES.get(str(notice.get("kind")))
    if carry_out is not None:
        carry_out(notice)


def _session_ended(notice: dict[str, Any]) -> None:
    for connection in registry.of_session(UUID(notice["sessionId"])):
        rooms.cut(connection)


def _role_changed(notice: dict[str, Any]) -> None:
    for connection in registry.of_profile(UUID(notice["profileId"])):
        rooms.cut(connection)  # what it may see is another matter now; it comes back as what it is


def _profile_changed(notice: dict[str, Any]) -> None:
    """Have sockets speak under their person's new name; end them where the person is no longer let in."""
    for connection in registry.of_profile(UUID(notice["profileId"])):
        try:
            standing.confirm(connection)
        except DomainError:
            recheck_soon()  # the database is away


def _members_changed(notice: dict[str, Any]) -> None:
    for profile in notice["profileIds"]:
        _memberships_changed(UUID(profile), [UUID(notice["conversationId"])], ended=notice["ended"])


def _one_members_changed(notice: dict[str, Any]) -> None:
    _memberships_changed(
        UUID(notice["profileId"]), [UUID(one) for one in notice["conversationIds"]], ended=notice["ended"]
    )


def _channels_ended(notice: dict[str, Any]) -> None:
    for connection in registry.of_session(UUID(notice["sessionId"])):
        rooms.let_go(connection, notice["channels"])


NOTICES: dict[str, Callable[[dict[str, Any]], None]] = {
    "session": _session_ended,
    "role": _role_changed,
    "profile": _profile_changed,
    "channels": _channels_ended,
    "member": _members_changed,
    "memberships": _one_members_changed,
}


def _memberships_changed(profile_id: UUID, conversation_ids: list[UUID], *, ended: bool) -> None:
    """Put someone's sockets in or out. Notices come on two buses and may swap: the database says what holds."""
    registry.note_change(profile_id)
    for connection in registry.of_profile(profile_id) if ended else []:
        for conversation_id in conversation_ids:
            rooms.leave(connection, conversation_id)
    try:
        _as_the_database_says(profile_id, conversation_ids)
    except DomainError:
        recheck_soon()


def _as_the_database_says(profile_id: UUID, conversation_ids: list[UUID]) -> None:
    while registry.of_profile(profile_id):
        before = registry.changes(profile_id)
        members = heads.memberships(profile_id, conversation_ids)
        if registry.changes(profile_id) != before:
            continue
        for connection in registry.of_profile(profile_id):
            for conversation_id in conversation_ids:
                member = members.get(conversation_id)
                if member is None:
                    rooms.leave(connection, conversation_id)
                else:
                    rooms.join(connection, conversation_id, member.history_from_seq, kind=member.kind)
        rooms.when_heard(conversation_ids, _joined.update)
        return


def recheck_soon() -> None:
    """Have all memberships and sessions read anew: this process has been deaf to notices for a while."""
    _recheck_due.set()


def tell_heads_soon() -> None:
    """Have every socket told where its conversations stand: emits of other processes may have been missed."""
    _heads_due.set()
    _heads_due_again[:] = [
        time.monotonic() + AGAIN_AFTER_S
    ]  # the others may not have known at once that this process hears


def run_rechecks(stopping: threading.Event) -> None:
    """Do what is due, and again until it succeeds: the database may be away just then."""
    fetched_at = 0.0
    while not stopping.wait(RECHECK_LOOK_S):
        try:
            _if_due(_recheck_due, recheck_all)
            if _heads_due_again and time.monotonic() > _heads_due_again[0]:
                _heads_due_again.clear()
                _heads_due.set()
            _if_due(_heads_due, rooms.tell_all_heads)
            _tell_heads_of_joined()
            if hearing.misses_emits() and time.monotonic() - fetched_at > FETCH_EVERY_S:
                fetched_at = time.monotonic()
                rooms.fetch_all()
        except DomainError:
            pass  # the next turn
        except Exception:
            log.exception("a recheck failed; it is tried again")


def _tell_heads_of_joined() -> None:
    if _joined:
        told = set(_joined)
        relay.tell_heads(map(UUID, told))
        _joined.difference_update(told)


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
    trust.forget()
    for connection in registry.everyone():
        if standing.confirm(connection):
            rooms.settle(connection)
    rooms.until_heard()
    rooms.tell_all_heads()
