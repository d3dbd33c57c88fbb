"""Looking after an installation: accounts, their roles, and how much there is. For admins; none of it shows a conversation."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain import accounts, audit, sessions
from app.kernel.actor import SYSTEM, Actor
from app.kernel.errors import Conflict, Forbidden, NotFound
from app.models import transaction
from app.outbound import bus
from app.queries import administration as views

ACCOUNT = text(
    "SELECT p.username, p.disabled_at, u.role FROM profiles p JOIN users u ON u.profile_id = p.id WHERE p.id = :id"
)
DISABLE = text("UPDATE profiles SET disabled_at = :now WHERE id = :id")
ROOMS_SHOWN = 50
ROLES = ("member", "staff", "admin")


def require_admin(actor: Actor) -> None:
    """Refuse all but admins; raises Forbidden."""
    if actor.kind != "user" or actor.role != "admin":
        raise Forbidden("Only admins may do this.")


def people(actor: Actor, *, q: str, limit: int, after: str) -> tuple[list[dict[str, Any]], str | None]:
    """List the accounts, closed ones too."""
    require_admin(actor)
    with transaction(SYSTEM) as tx:
        return views.people(tx, q=q, limit=limit, after=after)


def figures(actor: Actor) -> dict[str, int]:
    """Count people, customers, conversations by kind, messages (an estimate) and dead letters."""
    require_admin(actor)
    with transaction(SYSTEM) as tx:
        return views.figures(tx)


def rooms(actor: Actor) -> list[dict[str, Any]]:
    """List the public rooms (the 50 latest active); what is private is only counted."""
    require_admin(actor)
    with transaction(SYSTEM) as tx:
        return views.rooms(tx, limit=ROOMS_SHOWN)


def set_role(actor: Actor, *, profile_id: UUID, role: str, now: datetime) -> None:
    """Give somebody else a role. One's own stays, so that somebody is always left who can give it back."""
    require_admin(actor)
    accounts.set_role(username=_other(actor, profile_id).username, role=role, now=now)


def set_open(actor: Actor, *, profile_id: UUID, is_open: bool, now: datetime) -> None:
    """Close an account, with everything it is signed in to, or open it again. What it wrote stays."""
    require_admin(actor)
    _other(actor, profile_id)
    with transaction(SYSTEM) as tx:
        tx.change(DISABLE, {"id": profile_id, "now": None if is_open else now})
        if not is_open:
            sessions.revoke_others(tx, profile_id=profile_id, kept=None, now=now)
        bus.announce(tx, "profile", profileId=str(profile_id))
        word = "account.opened" if is_open else "account.closed"
        audit.note(tx, word, now=now, actor_id=actor.id, subject_id=profile_id)


def _other(actor: Actor, profile_id: UUID) -> Any:
    with transaction(SYSTEM) as tx:
        found = tx.execute(ACCOUNT, {"id": profile_id}).one_or_none()
    if found is None:
        raise NotFound("The account")
    if profile_id == actor.id:
        raise Conflict("Nobody changes the own account here: another admin does.")
    return found
