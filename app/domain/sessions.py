"""Sign-ins: what a credential is worth, until when, and how it ends.

No token is stored. An access token is a JWT that names its session; a refresh token and a page cookie are derived from the
session (id, generation, nonce) under the secret key, so that the successor of an old refresh token can be given again.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Any
from uuid import UUID

import jwt
from sqlalchemy import text

from app.domain import credentials, customers, steps, trust
from app.domain.credentials import Tokens
from app.kernel import clock, ids
from app.kernel.actor import SYSTEM, Actor
from app.kernel.errors import NotFound, Unauthenticated
from app.kernel.settings import settings
from app.models import Session, Transaction, transaction
from app.outbound import bus

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
REUSE_WINDOW = timedelta(seconds=30)
Lookup = Callable[[UUID], trust.Known]


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
def actor_of_token(token: str, *, session: Lookup = trust.session) -> Actor:
    """Find who a bearer token stands for: a person's access token, a customer's or a bot's own; raises Unauthenticated.

    ``session`` looks up a live session by its id.
    """
    if token.startswith((customers.PREFIX, credentials.BOT_PREFIX)):
        return trust.token(customers.digest(token)).actor
    try:
        claims = jwt.decode(
            token, settings().secret_key, algorithms=["HS256"], options={"require": ["exp", "sub", "sid"]}
        )
        session_id = UUID(claims["sid"])
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
        raise Unauthenticated from error
    found = session(session_id)
    if str(found.actor.id) != claims["sub"]:
        raise Unauthenticated
    return found.actor


def actor_of_cookie(value: str, *, session: Lookup = trust.session) -> Actor:
    """Find who a page's cookie stands for; raises Unauthenticated. ``session`` looks up a live session by its id."""
    name, _, seal = value.partition(".")
    session_id = ids.parse_id(name)
    if session_id is None:
        raise Unauthenticated
    found = session(session_id)
    if not hmac.compare_digest(seal.encode(), credentials.seal("page", session_id, found.nonce).encode()):
        raise Unauthenticated
    return replace(found.actor, browse=True)


# ending ---------------------------------------------------------------------------------------------------------------
def refresh(*, refresh_token: str, now: datetime) -> Tokens:
    """Rotate a refresh token (RFC 9700 section 4.14): a reuse ends the family.

    The old token again within 30 s, its successor unused, gives the same successor: a client that lost the answer.
    """
    session_id, generation, seal = credentials.parts(refresh_token)
    with transaction(SYSTEM) as tx:
        tx.execute(LOCK, {"id": session_id})
        row = tx.execute(trust.LOAD, {"id": session_id, "now": now}).one_or_none()
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
        tx.after_commit(lambda: trust.forget(session_id))
    return bool(touched)


def revoke_others(tx: Transaction, *, profile_id: UUID, kept: UUID | None, now: datetime) -> None:
    """End all of someone's sessions but one (a changed password)."""
    for row in tx.execute(REVOKE_OTHERS, {"profile_id": profile_id, "kept": kept, "now": now}).all():
        bus.announce(tx, "session", sessionId=str(row.id))
        tx.after_commit(lambda ended=row.id: trust.forget(ended))  # type: ignore[misc]


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


CLEAN_UP = text(
    "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < :before OR revoked_at < :before LIMIT :limit)"
)


def clean_up(*, now: datetime) -> int:
    """Delete sessions that ended a week ago or earlier; gives how many."""
    return steps.repeat(CLEAN_UP, before=now - timedelta(days=7))
