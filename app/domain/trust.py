"""What this process believes of credentials, for 0.9 s after it has read them: a revocation works within 1 s everywhere.

A session's key is its id, that of a customer's or bot's token its hash (at the door) or its id (for a socket that is in).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain import hearing
from app.kernel import clock
from app.kernel.actor import SYSTEM, Actor
from app.kernel.errors import Unauthenticated, Unavailable
from app.models import transaction

LOAD = text(
    "SELECT s.kind, s.nonce, s.generation, s.rotated_at, s.expires_at, s.profile_id, p.username, p.display_name,"
    " p.avatar_url, u.role FROM sessions s JOIN profiles p ON p.id = s.profile_id JOIN users u ON u.profile_id = p.id"
    " WHERE s.id = :id AND s.revoked_at IS NULL AND s.expires_at > :now AND p.disabled_at IS NULL"
)
LOAD_TOKEN = text(
    "SELECT t.id, t.profile_id, t.expires_at, p.kind, p.username, p.display_name, p.avatar_url FROM ("
    " SELECT id, profile_id, token_hash, expires_at, revoked_at FROM portal_tokens UNION ALL"
    " SELECT id, profile_id, token_hash, expires_at, revoked_at FROM api_tokens) t JOIN profiles p ON p.id = t.profile_id"
    " WHERE (t.token_hash = :digest OR t.id = :id) AND t.revoked_at IS NULL"
    " AND (t.expires_at IS NULL OR t.expires_at > :now) AND p.disabled_at IS NULL"
)
TRUST_S = 0.9
CACHE_MAX = 20_000
Key = UUID | bytes


@dataclass(frozen=True, slots=True)
class Known:
    """What this process knows of a live credential; it believes it until ``until`` (monotonic seconds)."""

    actor: Actor
    expires_at: datetime | None
    until: float
    nonce: bytes = b""


@dataclass(slots=True)
class Forgets:
    """How often this process has been told to forget."""

    count: int = 0


_known: dict[Key, Known] = {}
_forgets = Forgets()


def session(session_id: UUID, *, read: Callable[[float], Known | None] | None = None) -> Known:
    """Give what is known of a live session; raises Unauthenticated. ``read`` reads it where the caller reads more with it."""
    return _live(session_id, read or (lambda until: _read_session(session_id, until)))


def token(digest: bytes) -> Known:
    """Give what is known of a customer's or bot's live token by its hash; raises Unauthenticated."""
    return _live(digest, lambda until: _read_token({"digest": digest, "id": None}, until))


def forgets() -> int:
    """Count how often this process has been told that a credential ended: while it stays the same, none has."""
    return _forgets.count


def behind(actor: Actor, *, since: int | None = None) -> Known:
    """Give what is known of the credential that an actor came with, with the actor as it is by now; raises Unauthenticated.

    With ``since`` (the ``forgets`` before it was read) the reading holds until an end is heard of, however long that takes.
    """
    name = actor.session_id
    if name is None:
        raise Unauthenticated
    read = _known.get(name)
    if read is not None and since == _forgets.count and not hearing.is_deaf():
        return replace(read, actor=replace(read.actor, browse=actor.browse))
    if actor.kind in ("customer", "bot"):
        return _live(name, lambda until: _read_token({"digest": None, "id": name}, until))
    known = session(name)
    return replace(known, actor=replace(known.actor, browse=actor.browse))


def forget(credential_id: UUID | None = None) -> None:
    """Have this process read a credential (or all) anew when next asked."""
    _drop(lambda actor: credential_id is None or actor.session_id == credential_id)


def forget_person(profile_id: UUID) -> None:
    """Have this process read all credentials of one principal anew when next asked."""
    _drop(lambda actor: actor.id == profile_id)


def _drop(is_meant: Callable[[Actor], bool]) -> None:
    _forgets.count += 1
    for key in [key for key, known in list(_known.items()) if is_meant(known.actor)]:
        _known.pop(key, None)


def _live(key: Key, read: Callable[[float], Known | None]) -> Known:
    known = _known.get(key)
    if known is not None and known.until >= time.monotonic():
        return known
    try:
        return _read(key, read)
    except Unavailable:
        if known is None or hearing.is_deaf() or (known.expires_at and known.expires_at <= clock.now()):
            raise
        return known  # the database is away, so nobody can revoke; a notice on the other bus would have been heard


def _read(key: Key, read: Callable[[float], Known | None]) -> Known:
    """Read a credential; once more where one was ended meanwhile, for this may have been read before that."""
    while True:
        seen = _forgets.count
        found = read(time.monotonic() + TRUST_S)
        if seen == _forgets.count:
            break
    if found is None:
        _known.pop(key, None)
        raise Unauthenticated
    if len(_known) >= CACHE_MAX:
        _known.clear()
    _known[key] = found
    if isinstance(key, bytes) and found.actor.session_id is not None:
        _known[found.actor.session_id] = found  # for the socket that may be about to come of it
    return found


def _read_session(session_id: UUID, until: float) -> Known | None:
    with transaction(SYSTEM) as tx:
        row = tx.alone(LOAD, {"id": session_id, "now": clock.now()}).one_or_none()
    return known_session(session_id, row, until) if row else None


def known_session(session_id: UUID, row: Any, until: float) -> Known:
    """Turn a row of a live session into what is known of it."""
    actor = Actor(
        id=row.profile_id, kind="user", role=row.role, username=row.username, display_name=row.display_name,
        avatar_url=row.avatar_url, session_id=session_id,
    )  # fmt: skip
    return Known(actor, row.expires_at, until, bytes(row.nonce))


def _read_token(which: dict[str, Any], until: float) -> Known | None:
    with transaction(SYSTEM) as tx:
        row = tx.alone(LOAD_TOKEN, {**which, "now": clock.now()}).one_or_none()
    if row is None:
        return None
    actor = Actor(
        id=row.profile_id, kind=row.kind, username=row.username, display_name=row.display_name,
        avatar_url=row.avatar_url, session_id=row.id,
    )  # fmt: skip
    return Known(actor, row.expires_at, until)
