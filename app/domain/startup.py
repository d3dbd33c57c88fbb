"""What must be true before a process serves; each refusal is a sentence that says what to set."""

from __future__ import annotations

import logging

from sqlalchemy import text

from app.kernel.actor import SYSTEM
from app.kernel.errors import DomainError
from app.kernel.settings import settings
from app.models import transaction

log = logging.getLogger(__name__)
ROLE = text("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")


def check() -> None:
    """Refuse a database role that row security does not bind; only a warning outside production. Raises SystemExit."""
    try:
        with transaction(SYSTEM) as tx:
            role = tx.execute(ROLE).one()
    except DomainError as error:
        log.warning("the database cannot be asked about its role yet: %s", error)
        return
    if not role.rolsuper and not role.rolbypassrls:
        return
    power = "a superuser" if role.rolsuper else "a role with BYPASSRLS"
    sentence = f"DATABASE_URL names {power} ({role.rolname}), whom row security does not bind: give a role without it."
    if settings().env == "production":
        raise SystemExit(sentence)
    log.warning(sentence)
