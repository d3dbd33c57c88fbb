"""Customers and their portal tokens; for staff only."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.domain import audit, credentials
from app.kernel import clock, ids
from app.kernel.actor import SYSTEM, Actor
from app.kernel.errors import Conflict, Forbidden, NotFound
from app.kernel.requests import CreateCustomer
from app.models import Customer, PortalToken, Profile, Transaction, transaction
from app.outbound import bus
from app.queries import customers as views

PREFIX = "ptk_"
LETTER_TOKEN_LIFETIME = timedelta(days=7)
# With it end those that letters brought: nobody made them, so nobody else can end them.
REVOKE = text(
    "UPDATE portal_tokens t SET revoked_at = :now FROM portal_tokens named WHERE named.id = :id AND t.revoked_at IS NULL"
    " AND named.revoked_at IS NULL AND (t.id = :id OR (t.profile_id = named.profile_id AND t.created_by IS NULL))"
    " RETURNING t.id"
)
LET_IN = text(
    "SELECT 1 FROM portal_tokens WHERE profile_id = :id AND created_by IS NOT NULL AND revoked_at IS NULL"
    " AND (expires_at IS NULL OR expires_at > :now) LIMIT 1"
)
KEEP_LETTER_TOKEN = text(
    "INSERT INTO portal_tokens (id, profile_id, token_hash, created_at, expires_at)"
    " VALUES (:id, :customer, :digest, :now, :expires_at) ON CONFLICT (id) DO NOTHING"
)
EXISTS = text("SELECT 1 FROM portal_tokens WHERE id = :id")


def require_staff(actor: Actor) -> None:
    """Refuse all but staff and admins; raises Forbidden."""
    if not actor.is_staff:
        raise Forbidden("Only staff may do this.")


def create(actor: Actor, *, request: CreateCustomer, now: datetime) -> dict[str, Any]:
    """Make a customer; raises Conflict where the external id is taken."""
    require_staff(actor)
    customer_id = ids.new_id()
    try:
        with transaction(SYSTEM) as tx:
            tx.add(Profile(id=customer_id, kind="customer", display_name=request.display_name, created_at=now))
            tx.add(
                Customer(
                    profile_id=customer_id,
                    email=request.email,
                    external_id=request.external_id,
                    details=request.metadata,
                    created_by=actor.id,
                    created_at=now,
                )
            )
            audit.note(tx, "customer.created", now=now, actor_id=actor.id, subject_id=customer_id)
            found = views.one(tx, customer_id)
    except IntegrityError as error:
        raise Conflict("This externalId is taken.", fields={"externalId": ["is taken"]}) from error
    return found or {}


def find(
    actor: Actor, *, q: str, limit: int, after: tuple[datetime, UUID] | None
) -> tuple[list[dict[str, Any]], tuple[datetime, UUID] | None]:
    """List customers."""
    require_staff(actor)
    with transaction(SYSTEM) as tx:
        return views.find(tx, q=q, limit=limit, after=after)


def issue_token(actor: Actor, *, customer_id: UUID, expires_in_s: int | None, now: datetime) -> dict[str, Any]:
    """Make a portal token; the token itself is given here and never again."""
    with transaction(SYSTEM) as tx:
        if views.one(tx, customer_id) is None:
            raise NotFound("The customer")
        require_staff(actor)
        expires_at = now + timedelta(seconds=expires_in_s) if expires_in_s else None
        return make_token(tx, customer_id, by=actor.id, expires_at=expires_at, now=now)


def make_token(
    tx: Transaction, customer_id: UUID, *, by: UUID, expires_at: datetime | None, now: datetime
) -> dict[str, Any]:
    """Make a portal token: ``{token, portalToken}``. ``by`` is who vouches for its bearer: staff, or a signed identity."""
    token = PREFIX + token_urlsafe(32)
    row = PortalToken(
        id=ids.new_id(),
        profile_id=customer_id,
        token_hash=digest(token),
        created_by=by,
        created_at=now,
        expires_at=expires_at,
    )
    tx.add(row)
    audit.note(tx, "portal_token.issued", now=now, actor_id=by, subject_id=customer_id)
    until = clock.wire(expires_at) if expires_at else None
    return {"token": token, "portalToken": {"id": str(row.id), "expiresAt": until}}


def letter_token(*, letter_id: UUID, customer_id: UUID, now: datetime) -> str | None:
    """Make the key in a letter to a customer, the same each time; none for one whom staff let in no longer.

    It lives a week, and ends with any token of theirs that staff end.
    """
    token = PREFIX + credentials.seal("letter", letter_id, b"")
    with transaction(SYSTEM) as tx:
        if tx.execute(LET_IN, {"id": customer_id, "now": now}).one_or_none() is None:
            return None
        row = {"id": uuid5(letter_id, "portal"), "customer": customer_id, "digest": digest(token), "now": now}
        tx.change(KEEP_LETTER_TOKEN, {**row, "expires_at": now + LETTER_TOKEN_LIFETIME})
    return token


def revoke_token(actor: Actor, *, token_id: UUID, now: datetime) -> None:
    """End a portal token and the sockets that hang on it; a second time changes nothing."""
    with transaction(SYSTEM) as tx:
        if tx.execute(EXISTS, {"id": token_id}).one_or_none() is None:
            raise NotFound("The portal token")
        require_staff(actor)
        for row in tx.execute(REVOKE, {"id": token_id, "now": now}).all():
            bus.announce(tx, "session", sessionId=str(row.id))


def digest(token: str) -> bytes:
    """Hash a token for keeping (it is random: a slow hash would add nothing)."""
    return sha256(token.encode(errors="replace")).digest()
