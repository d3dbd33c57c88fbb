"""What one is mailed of: one's own wishes, and the link in every digest that ends them without signing in."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain import audit, credentials
from app.kernel import ids
from app.kernel.actor import SYSTEM, Actor
from app.kernel.errors import NotFound
from app.kernel.requests import NotificationSettings
from app.kernel.settings import settings
from app.models import Transaction, transaction

EMAIL, DELAY_MINUTES = "all", 15  # for those who never chose
READ = text("SELECT email, delay_minutes FROM notification_settings WHERE profile_id = :id")
WRITE = text(
    "INSERT INTO notification_settings (profile_id, email, delay_minutes, changed_at)"
    f" VALUES (:id, COALESCE(CAST(:email AS text), '{EMAIL}'), COALESCE(CAST(:delay AS integer), {DELAY_MINUTES}), :now)"
    " ON CONFLICT (profile_id) DO UPDATE SET changed_at = :now,"
    " email = COALESCE(CAST(:email AS text), notification_settings.email),"
    " delay_minutes = COALESCE(CAST(:delay AS integer), notification_settings.delay_minutes)"
)
EXISTS = text("SELECT 1 FROM profiles WHERE id = :id AND disabled_at IS NULL")


def mine(actor: Actor) -> dict[str, Any]:
    """Read what one is mailed of."""
    with transaction(actor) as tx:
        return read(tx, actor.id)


def read(tx: Transaction, profile_id: UUID) -> dict[str, Any]:
    """Read what someone is mailed of: ``{email: off|mentions|all, delayMinutes}``."""
    row = tx.execute(READ, {"id": profile_id}).one_or_none()
    return {"email": row.email if row else EMAIL, "delayMinutes": row.delay_minutes if row else DELAY_MINUTES}


def configure(actor: Actor, *, request: NotificationSettings, now: datetime) -> dict[str, Any]:
    """Choose what one is mailed of; what is not named stays."""
    with transaction(actor) as tx:
        tx.change(WRITE, {"id": actor.id, "email": request.email, "delay": request.delay_minutes, "now": now})
        return read(tx, actor.id)


# the link ---------------------------------------------------------------------------------------------------------------
def unsubscribe_url(profile_id: UUID) -> str:
    """Give the address that ends someone's mails with one click (RFC 8058); it can do nothing else."""
    return f"{settings().public_url}/unsubscribe/{_token(profile_id)}"


def whose(token: str) -> UUID:
    """Find whose mails a link ends; raises NotFound."""
    profile_id = ids.parse_id(token.partition(".")[0])
    if profile_id is None or not hmac.compare_digest(token.encode(errors="replace"), _token(profile_id).encode()):
        raise NotFound("The page")
    return profile_id


def unsubscribe(*, token: str, now: datetime) -> None:
    """End the mails of whoever a link belongs to; again changes nothing. Raises NotFound."""
    profile_id = whose(token)
    with transaction(SYSTEM) as tx:
        if tx.execute(EXISTS, {"id": profile_id}).one_or_none() is None:
            raise NotFound("The page")
        if read(tx, profile_id)["email"] != "off":
            tx.change(WRITE, {"id": profile_id, "email": "off", "delay": None, "now": now})
            audit.note(tx, "mail.unsubscribed", subject_id=profile_id, now=now)


def _token(profile_id: UUID) -> str:
    return f"{profile_id}.{credentials.seal('unsubscribe', profile_id, b'')}"
