"""Identities that another site signs: its signed-in visitor becomes a customer here, with a portal token of their own.

An identity is a JSON Web Token (HS256, under ``CHAT_EMBED_SECRET``) with ``externalId``, ``exp`` and, as the site likes,
``displayName`` and ``email``. The site's server makes it; the secret never reaches a browser.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from sqlalchemy import text

from app.domain import audit, customers
from app.kernel import ids
from app.kernel.actor import SYSTEM
from app.kernel.errors import Invalid, NotFound, Unauthenticated
from app.kernel.requests import Identity, parse
from app.kernel.settings import settings
from app.models import Transaction, transaction
from app.queries import customers as views

LIFETIME_MAX = timedelta(hours=24)
TOKEN_LIFETIME = timedelta(hours=12)
LEEWAY_S = 30
CLAIMS = ("externalId", "displayName", "email")
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('customer:' || :external_id, 0))")
FIND = text(
    "SELECT p.id, p.disabled_at FROM customers c JOIN profiles p ON p.id = c.profile_id WHERE c.external_id = :external_id"
)
MAKE = text(
    "WITH made AS (INSERT INTO profiles (id, kind, display_name, created_at) VALUES (:id, 'customer', :name, :now)"
    " RETURNING id) INSERT INTO customers (profile_id, email, external_id, metadata, created_at)"
    " SELECT id, :email, :external_id, '{}', :now FROM made"
)
RENAME = text("UPDATE profiles SET display_name = :name WHERE id = :id AND display_name <> :name")
READDRESS = text("UPDATE customers SET email = :email WHERE profile_id = :id AND email IS DISTINCT FROM :email")
FORGET_OLD = text("DELETE FROM portal_tokens WHERE profile_id = :id AND created_by = :id AND expires_at < :before")


def identify(*, identity: str, now: datetime) -> tuple[dict[str, Any], bool]:
    """Exchange a signed identity for a portal token: ``({customer, token, portalToken}, whether the customer is new)``.

    Raises Unauthenticated where the signature or the time is wrong, Invalid where a claim is, NotFound without a secret.
    """
    wanted = _read(identity, now)
    with transaction(SYSTEM) as tx:
        customer_id, is_new = _customer(tx, wanted, now)
        tx.change(FORGET_OLD, {"id": customer_id, "before": now - timedelta(days=1)})
        made = customers.make_token(tx, customer_id, by=customer_id, expires_at=now + TOKEN_LIFETIME, now=now)
        found = views.one(tx, customer_id)
    return {"customer": found, **made}, is_new


def _read(identity: str, now: datetime) -> Identity:
    secret = settings().embed_secret
    if secret is None:
        raise NotFound("The call")
    try:
        claims = jwt.decode(identity, secret, algorithms=["HS256"], leeway=LEEWAY_S, options={"require": ["exp"]})
    except jwt.PyJWTError as error:
        raise Unauthenticated("The identity is not signed by this site, or its time is over.") from error
    if claims["exp"] > (now + LIFETIME_MAX).timestamp() + LEEWAY_S:
        raise Invalid({"identity": ["must not be good for more than 24 hours (exp)"]})
    return parse(Identity, {name: claims[name] for name in CLAIMS if name in claims})


def _customer(tx: Transaction, wanted: Identity, now: datetime) -> tuple[UUID, bool]:
    tx.execute(ONE_AT_A_TIME, {"external_id": wanted.external_id})
    found = tx.execute(FIND, {"external_id": wanted.external_id}).one_or_none()
    if found is None:
        customer_id = ids.new_id()
        name = wanted.display_name or f"Visitor {wanted.external_id}"[:80]
        values = {"id": customer_id, "name": name, "email": wanted.email, "external_id": wanted.external_id, "now": now}
        tx.change(MAKE, values)
        audit.note(tx, "customer.identified", now=now, subject_id=customer_id)
        return customer_id, True
    if found.disabled_at is not None:
        raise Unauthenticated("This customer is not let in any more.")
    if wanted.display_name is not None:
        tx.change(RENAME, {"id": found.id, "name": wanted.display_name})
    if wanted.email is not None:
        tx.change(READDRESS, {"id": found.id, "email": wanted.email})
    return found.id, False
