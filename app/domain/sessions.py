"""Sign-ins: what a credential is worth, until when, and how it ends.

No token is stored. An access token is a JWT that names its session; a refresh token and a page cookie are derived from the
session (id, generation, nonce) under the secret key, so that the successor of an old refresh token can be given again.
"""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Any
from uuid import UUID

import jwt
from sqlalchemy import text

from app.domain import credentials, customers, hearing
from app.domain.credentials import Tokens
from app.kernel import clock, ids
from app.kernel.actor import SYSTEM, Actor
from app.kernel.errors import NotFound, Unauthenticated, Unavailable
from app.kernel.settings import settings
from app.models import Session, Transaction, transaction
from app.outbound import bus

LOAD = text(
    "SELECT s.kind, s.nonce, s.generation, s.rotated_at, s.expires_at, s.profile_id, p.username, p.display_name,"
    " p.avatar_url, u.role FROM sessions s JOIN profiles p ON p.id = s.profile_id JOIN users u ON u.profile_id = p.id"
    " WHERE s.id = :id AND s.revoked_at IS NULL AND s.expires_at > :now AND p.disabled_at IS NULL"
)
LOCK = text("SELECT 1 FROM sessions WHERE id = :id FOR NO KEY UPDATE")
ROTATE = text(
    "UPDATE sessions SET generation = generation + 1, rotated_at = :now, last_used_at = :now, expires_at = :expires_at"
    " WHERE id = :id"
)
REVOKE = text("UPDATE sessions SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL")
OWN = text("SELECT 1 FROM sessions WHERE id = :id")
REVOKE_OTHERS = text(
    "UPDATE sessions SET revoked_at = :now WHERE profile_id = :profile_id AND revoked_at IS NULL"
    " AND id IS DISTINCT FROM :kept RETURNING id"
)
MINE = text(
    "SELECT id, kind, created_at, last_used_at, expires_at, user_agent, address FROM sessions"
    " WHERE profile_id = :me AND revoked_at IS NULL AND expires_at > :now ORDER BY last_used_at DESC, id"
)
LOAD_PORTAL = text(
    "SELECT t.id, t.profile_id, p.display_name, p.avatar_url FROM portal_tokens t JOIN profiles p ON p.id = t.profile_id"
    " WHERE t.token_hash = :digest AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > :now)"
    " AND p.disabled_at IS NULL"
)
PORTAL_STANDS = text(
    "SELECT 1 FROM portal_tokens WHERE id = :id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)"
)
REUSE_WINDOW = timedelta(seconds=30)
TRUST_S = 0.9  # how long a process believes what it read of a session: a revocation works within 1 s everywhere
CACHE_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Known:
    """What this process knows of a live session, and until when (monotonic seconds) it believes it."""

    actor: Actor
    nonce: bytes
    generation: int
    rotated_at: datetime
    until: float


@dataclass(slots=True)
class Forgets:
    """How often this process has been told to forget."""

    count: int = 0


_known: dict[UUID, Known] = {}
_portals: dict[bytes, tuple[Actor, float]] = {}
_forgets = Forgets()


# making ---------------------------------------------------------------------------------------------------------------
def open_session(
    tx: Transaction, *, profile_id: UUID, kind: str, user_agent: str, address: str, now: datetime
) -> Session:
    """Begin a session of kind ``api`` or ``page``."""
    lifetime = settings().refresh_token_ttl_s if kind == "api" else settings().session_ttl_s
    session = Session(
        id=ids.new_id(), profile_id=profile_id, kind=kind, nonce=token_bytes(16), generation=1, rotated_at=now,
        created_at=now, last_used_at=now, expires_at=now + timedelta(seconds=lifetime),
        user_agent=_printable(user_agent), address=address[:64],
    )  # fmt: skip
    tx.add(session)
    return session


def _printable(user_agent: str) -> str:
    return "".join(c for c in user_agent[:200] if c.isprintable())


def tokens(session: Session) -> Tokens:
    """Hand out the tokens of a session's present generation."""
    return credentials.issue(session.id, session.profile_id, session.nonce, session.generation)


def cookie(session: Session) -> str:
    """Give the value of a page session's cookie."""
    return f"{session.id}.{credentials.seal('page', session.id, session.nonce)}"


def csrf_token(actor: Actor) -> str:
    """Give the CSRF token of the page session behind an actor."""
    return credentials.seal("csrf", actor.session_id or SYSTEM.id, b"")


def csrf_matches(actor: Actor, token: object) -> bool:
    """Tell whether a CSRF token is the one of the actor's page session."""
    return isinstance(token, str) and hmac.compare_digest(token.encode(errors="replace"), csrf_token(actor).encode())


# checking -------------------------------------------------------------------------------------------------------------
def actor_of_token(token: str) -> Actor:
    """Find who a bearer token stands for: a person's access token or a customer's portal token; raises Unauthenticated."""
    if token.startswith(customers.PREFIX):
        return _live_portal(customers.digest(token))
    try:
        claims = jwt.decode(
            token, settings().secret_key, algorithms=["HS256"], options={"require": ["exp", "sub", "sid"]}
        )
        session_id = UUID(claims["sid"])
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
        raise Unauthenticated from error
    found = _live(session_id)
    if str(found.actor.id) != claims["sub"]:
        raise Unauthenticated
    return found.actor


def _live_portal(digest: bytes) -> Actor:
    known = _portals.get(digest)
    if known is not None and known[1] > time.monotonic():
        return known[0]
    asked = time.monotonic()
    with transaction(SYSTEM) as tx:
        row = tx.execute(LOAD_PORTAL, {"digest": digest, "now": clock.now()}).one_or_none()
    if row is None:
        raise Unauthenticated
    actor = Actor(
        id=row.profile_id, kind="customer", display_name=row.display_name, avatar_url=row.avatar_url, session_id=row.id
    )
    if len(_portals) >= CACHE_MAX:
        _portals.clear()
    _portals[digest] = (actor, asked + TRUST_S)
    return actor


def actor_of_cookie(value: str) -> Actor:
    """Find who a page's cookie stands for; raises Unauthenticated."""
    name, _, seal = value.partition(".")
    session_id = ids.parse_id(name)
    if session_id is None:
        raise Unauthenticated
    found = _live(session_id)
    if not hmac.compare_digest(seal.encode(), credentials.seal("page", session_id, found.nonce).encode()):
        raise Unauthenticated
    return replace(found.actor, browse=True)


def _live(session_id: UUID) -> Known:
    known = _known.get(session_id)
    if known is not None and known.until >= time.monotonic():
        return known
    try:
        return _read(session_id)
    except Unavailable:
        if known is None or hearing.is_deaf():
            raise
        return known  # the database is away, so nobody can revoke; a notice on the other bus would have been heard


def _read(session_id: UUID) -> Known:
    """Read a session; once more where one was ended meanwhile, for this may have been read before that."""
    while True:
        seen, asked = _forgets.count, time.monotonic()
        with transaction(SYSTEM) as tx:
            row = tx.execute(LOAD, {"id": session_id, "now": clock.now()}).one_or_none()
        if seen == _forgets.count:
            break
    if row is None:
        _known.pop(session_id, None)
        raise Unauthenticated
    actor = Actor(
        id=row.profile_id, kind="user", role=row.role, username=row.username, display_name=row.display_name,
        avatar_url=row.avatar_url, session_id=session_id,
    )  # fmt: skip
    known = Known(actor, bytes(row.nonce), row.generation, row.rotated_at, asked + TRUST_S)
    if len(_known) >= CACHE_MAX:
        _known.clear()
    _known[session_id] = known
    return known


def forget(session_id: UUID | None = None) -> None:
    """Have this process read a session (or all) anew when next asked."""
    _portals.clear()
    _forgets.count += 1
    if session_id is None:
        _known.clear()
    else:
        _known.pop(session_id, None)


# ending ---------------------------------------------------------------------------------------------------------------
def refresh(*, refresh_token: str, now: datetime) -> Tokens:
    """Rotate a refresh token (RFC 9700 section 4.14): a reuse ends the family.

    The old token again within 30 s, its successor unused, gives the same successor: a client that lost the answer.
    """
    session_id, generation, seal = credentials.parts(refresh_token)
    with transaction(SYSTEM) as tx:
        tx.execute(LOCK, {"id": session_id})
        row = tx.execute(LOAD, {"id": session_id, "now": now}).one_or_none()
        if row is None or not credentials.is_sealed(session_id, bytes(row.nonce), generation, seal):
            raise Unauthenticated
        if generation == row.generation:
            expires_at = now + timedelta(seconds=settings().refresh_token_ttl_s)
            tx.change(ROTATE, {"id": session_id, "now": now, "expires_at": expires_at})
            return credentials.issue(session_id, row.profile_id, bytes(row.nonce), generation + 1)
        if generation == row.generation - 1 and now - row.rotated_at <= REUSE_WINDOW:
            return credentials.issue(session_id, row.profile_id, bytes(row.nonce), row.generation)
        _revoke(tx, session_id, now)
    raise Unauthenticated("This refresh token was used before; its session has ended.")


def revoke(actor: Actor, *, session_id: UUID, now: datetime) -> None:
    """End one of one's own sessions, and the sockets that hang on it; again is the same. Raises NotFound."""
    with transaction(actor) as tx:
        if not _revoke(tx, session_id, now) and tx.execute(OWN, {"id": session_id}).one_or_none() is None:
            raise NotFound("The session")


def _revoke(tx: Transaction, session_id: UUID, now: datetime) -> bool:
    touched = tx.change(REVOKE, {"id": session_id, "now": now})
    if touched:
        bus.announce(tx, "session", sessionId=str(session_id))
        tx.after_commit(lambda: forget(session_id))
    return bool(touched)


def revoke_others(tx: Transaction, *, profile_id: UUID, kept: UUID | None, now: datetime) -> None:
    """End all of someone's sessions but one (a changed password)."""
    for row in tx.execute(REVOKE_OTHERS, {"profile_id": profile_id, "kept": kept, "now": now}).all():
        bus.announce(tx, "session", sessionId=str(row.id))
        tx.after_commit(lambda ended=row.id: forget(ended))  # type: ignore[misc]


def mine(actor: Actor, *, now: datetime) -> list[dict[str, Any]]:
    """List one's live sessions, the latest used first."""
    with transaction(actor) as tx:
        return [
            {
                "id": str(row.id),
                "kind": row.kind,
                "createdAt": clock.wire(row.created_at),
                "lastUsedAt": clock.wire(row.last_used_at),
                "expiresAt": clock.wire(row.expires_at),
                "userAgent": row.user_agent,
                "address": row.address,
                "current": row.id == actor.session_id,
            }
            for row in tx.execute(MINE, {"me": actor.id, "now": now})
        ]


def check(actor: Actor) -> None:
    """Make sure that the session behind an actor still stands; raises Unauthenticated."""
    if actor.kind == "customer":
        with transaction(SYSTEM) as tx:
            if tx.execute(PORTAL_STANDS, {"id": actor.session_id, "now": clock.now()}).one_or_none() is None:
                raise Unauthenticated
        return
    if actor.session_id is not None:
        _live(actor.session_id)


CLEAN_UP = text("DELETE FROM sessions WHERE expires_at < :before OR revoked_at < :before")


def clean_up(*, now: datetime) -> int:
    """Delete sessions that ended a week ago or earlier; gives how many."""
    with transaction(SYSTEM) as tx:
        return tx.change(CLEAN_UP, {"before": now - timedelta(days=7)})
