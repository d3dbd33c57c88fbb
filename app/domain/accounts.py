"""Accounts: registering, signing in, and looking after oneself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.domain import audit, passwords, sessions, support, trust
from app.domain.credentials import Tokens
from app.kernel import ids, limits
from app.kernel.actor import SYSTEM, Actor
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from app.kernel.requests import Login, PatchMe, Refresh, Register
from app.live import attempts, rates
from app.models import Profile, Transaction, User, transaction
from app.outbound import bus
from app.queries import bots, customers, people

BY_IDENTIFIER = text(
    "SELECT p.id, u.password_hash FROM profiles p JOIN users u ON u.profile_id = p.id WHERE p.disabled_at IS NULL"
    " AND (lower(p.username) = lower(:identifier) OR lower(u.email) = lower(:identifier))"
    " ORDER BY lower(p.username) = lower(:identifier) DESC LIMIT 1"
)
PASSWORD = text("SELECT password_hash FROM users WHERE profile_id = :id")
RENAME = text("UPDATE profiles SET display_name = :display_name WHERE id = :id")
CHANGE_EMAIL = text("UPDATE users SET email = :email WHERE profile_id = :id")
CHANGE_PASSWORD = text("UPDATE users SET password_hash = :hash, password_changed_at = :now WHERE profile_id = :id")
SET_ROLE = text("UPDATE users SET role = :role WHERE profile_id = :id")
ANY_ADMIN = text("SELECT 1 FROM users WHERE role = 'admin' LIMIT 1")


@dataclass(frozen=True, slots=True)
class Client:
    """Where a sign-in comes from."""

    user_agent: str
    address: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in: the person, tokens for an API client or a cookie for a page."""

    user: dict[str, Any]
    tokens: Tokens | None = None
    cookie: str | None = None


def register(*, request: Register, kind: str, client: Client, now: datetime) -> SignedIn:
    """Make an account and sign it in (``kind`` api or page); raises Conflict where a name is taken."""
    per_s, burst = limits.REGISTRATIONS_PER_S, limits.REGISTRATIONS_BURST
    rates.check(f"register:{client.address}", per_s=per_s, burst=burst)  # each costs a slow hash
    profile_id = create(request=request, role="member", now=now)
    return _sign_in(profile_id, kind, client, now)


def create(*, request: Register, role: str, now: datetime) -> UUID:
    """Make an account."""
    check_new_password(request.password, username=request.username, email=request.email)
    digest = passwords.digest(request.password)
    profile_id = ids.new_id()
    try:
        with transaction(SYSTEM) as tx:
            name = request.display_name or request.username
            tx.add(Profile(id=profile_id, kind="user", username=request.username, display_name=name, created_at=now))
            tx.add(
                User(
                    profile_id=profile_id,
                    email=request.email,
                    password_hash=digest,
                    role=role,
                    created_at=now,
                    password_changed_at=now,
                )
            )
            audit.note(tx, "account.created", subject_id=profile_id, now=now)
    except IntegrityError as error:
        raise _taken(error) from error
    return profile_id


def check_new_password(password: str, *, username: str, email: str) -> None:
    """Refuse a password that many use, or that is the person's own name or address; raises Invalid."""
    passwords.check_strength(password)
    if password.lower() in (username.lower(), email.lower()):
        raise Invalid({"password": ["must not be the username or the e-mail address"]})


def _taken(error: IntegrityError) -> Conflict:
    field = "email" if "users_email" in str(error.orig) else "username"
    return Conflict(f"This {field} is taken.", fields={field: ["is taken"]})


def login(*, request: Login, kind: str, client: Client, now: datetime) -> SignedIn:
    """Sign in by username or e-mail address; raises Unauthenticated, the same whatever was wrong, or RateLimited."""
    places = [f"account:{request.identifier.lower()}", f"address:{client.address}"]
    attempts.check(places)
    with transaction(SYSTEM) as tx:
        found = tx.execute(BY_IDENTIFIER, {"identifier": request.identifier}).one_or_none()
    if not passwords.matches(found.password_hash if found else None, request.password) or found is None:
        attempts.failed(places)
        raise Unauthenticated("The username, e-mail address or password is wrong.")
    attempts.check(places)  # again: many guesses at once all pass the first
    return _sign_in(found.id, kind, client, now)


def _sign_in(profile_id: UUID, kind: str, client: Client, now: datetime) -> SignedIn:
    with transaction(SYSTEM) as tx:
        session = sessions.open_session(
            tx, profile_id=profile_id, kind=kind, user_agent=client.user_agent, address=client.address, now=now
        )
        user = people.account(tx, profile_id) or {}
    if kind == "page":
        return SignedIn(user, cookie=sessions.cookie(session))
    return SignedIn(user, tokens=sessions.tokens(session))


def refresh(*, request: Refresh, client: Client, now: datetime) -> Tokens:
    """Exchange a refresh token for the next one and a new access token; raises Unauthenticated or RateLimited."""
    rates.check(f"refresh:{client.address}", per_s=limits.REFRESHES_PER_S, burst=limits.REFRESHES_BURST)
    return sessions.refresh(refresh_token=request.refresh_token, now=now)


def logout(actor: Actor, *, now: datetime) -> None:
    """End the session that the actor came with, and its sockets."""
    if actor.session_id is not None:
        sessions.revoke(actor, session_id=actor.session_id, now=now)


def me(actor: Actor) -> dict[str, Any]:
    """Read one's own account."""
    with transaction(actor) as tx:
        found = people.account(tx, actor.id)
    if found is None:
        raise NotFound("The account")
    return found


def me_or_customer(actor: Actor) -> dict[str, Any]:
    """Read oneself: ``{user}`` for a person, ``{customer}`` for a customer, ``{bot}`` for a bot."""
    if actor.kind == "bot":
        with transaction(actor) as tx:
            return {"bot": bots.one(tx, actor.id)}
    if actor.kind != "customer":
        return {"user": me(actor)}
    with transaction(actor) as tx:
        return {"customer": customers.one(tx, actor.id)}


def patch_me(actor: Actor, *, request: PatchMe, now: datetime) -> dict[str, Any]:
    """Change one's name, address or password. The latter two need the present password; a new one ends other sessions."""
    digest = _check_change(actor, request)
    try:
        with transaction(actor) as tx:
            _carry_out(tx, actor, request, digest, now)
    except IntegrityError as error:
        raise _taken(error) from error
    trust.forget_person(actor.id)
    return me(actor)


def _check_change(actor: Actor, request: PatchMe) -> str | None:
    if request.password is None and request.email is None:
        return None
    if request.current_password is None:
        raise Invalid({"currentPassword": ["is required to change the password or the e-mail address"]})
    if request.password is not None:
        passwords.check_strength(request.password)
    places = [f"account:{(actor.username or '').lower()}"]
    attempts.check(places)
    with transaction(actor) as tx:
        held = tx.execute(PASSWORD, {"id": actor.id}).scalar_one()
    if not passwords.matches(held, request.current_password):
        attempts.failed(places)
        raise Forbidden("The current password is wrong.", fields={"currentPassword": ["is wrong"]})
    return passwords.digest(request.password) if request.password is not None else None


def _carry_out(tx: Transaction, actor: Actor, request: PatchMe, digest: str | None, now: datetime) -> None:
    if request.display_name is not None:
        tx.change(RENAME, {"id": actor.id, "display_name": request.display_name})
        bus.announce(tx, "profile", profileId=str(actor.id))
    if request.email is not None:
        tx.change(CHANGE_EMAIL, {"id": actor.id, "email": request.email})
    if digest is not None:
        tx.change(CHANGE_PASSWORD, {"id": actor.id, "hash": digest, "now": now})
        sessions.revoke_others(tx, profile_id=actor.id, kept=actor.session_id, now=now)
        audit.note(tx, "password.changed", actor_id=actor.id, subject_id=actor.id, now=now)


def search(actor: Actor, *, q: str, limit: int, after: str) -> tuple[list[dict[str, Any]], str | None]:
    """Find people by the beginning of a username or name."""
    with transaction(actor) as tx:
        return people.search(tx, q=q, limit=limit, after=after)


def person(actor: Actor, *, username: str) -> dict[str, Any]:
    """Read a person's public profile; raises NotFound."""
    with transaction(actor) as tx:
        found = people.by_username(tx, username)
    if found is None:
        raise NotFound("The person")
    return found


def set_role(*, username: str, role: str, now: datetime) -> None:
    """Give someone a role; staff join the support conversations, others leave them. Raises NotFound."""
    with transaction(SYSTEM) as tx:
        found = people.by_username(tx, username)
        if found is None:
            raise NotFound("The person")
        profile_id = UUID(found["id"])
        support.hold_staff(tx)
        tx.change(SET_ROLE, {"id": profile_id, "role": role})
        bus.announce(tx, "role", profileId=found["id"])  # before what is told of the memberships: it ends the sockets
        support.staff_changed(tx, profile_id, is_staff=role != "member", now=now)
        audit.note(tx, "role.set", now=now, subject_id=profile_id, role=role)
    support.join_staff(now=now)


def has_admin() -> bool:
    """Tell whether anyone looks after this installation."""
    with transaction(SYSTEM) as tx:
        return tx.execute(ANY_ADMIN).one_or_none() is not None
