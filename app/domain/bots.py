"""Bots and their tokens; for admins only. A bot is a member like any other wherever somebody has added it."""

from __future__ import annotations

from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.domain import audit
from app.domain.administration import require_admin
from app.domain.credentials import BOT_PREFIX
from app.domain.customers import digest
from app.kernel import clock, ids
from app.kernel.actor import SYSTEM, Actor
from app.kernel.errors import Conflict, NotFound
from app.kernel.requests import CreateBot, IssueApiToken
from app.models import ApiToken, Profile, transaction
from app.outbound import bus
from app.queries import bots as views

END = text("UPDATE profiles SET disabled_at = :now WHERE id = :id AND kind = 'bot' AND disabled_at IS NULL")
REVOKE = text("UPDATE api_tokens SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL")
REVOKE_ALL = text("UPDATE api_tokens SET revoked_at = :now WHERE profile_id = :id AND revoked_at IS NULL RETURNING id")
EXISTS = text("SELECT 1 FROM api_tokens WHERE id = :id")
View = dict[str, Any]


def create(actor: Actor, *, request: CreateBot, now: datetime) -> View:
    """Make a bot; raises Conflict where the username is taken."""
    require_admin(actor)
    bot_id = ids.new_id()
    row = Profile(
        id=bot_id, kind="bot", username=request.username, display_name=request.display_name or request.username, created_at=now
    )  # fmt: skip
    try:
        with transaction(SYSTEM) as tx:
            tx.add(row)
            audit.note(tx, "bot.created", now=now, actor_id=actor.id, subject_id=bot_id)
            return views.one(tx, bot_id) or {}
    except IntegrityError as error:
        raise Conflict("This username is taken.", fields={"username": ["is taken"]}) from error


def find(actor: Actor, *, limit: int, after: str) -> tuple[list[View], str | None]:
    """List the bots, each with its live tokens."""
    require_admin(actor)
    with transaction(SYSTEM) as tx:
        return views.find(tx, limit=limit, after=after)


def end(actor: Actor, *, bot_id: UUID, now: datetime) -> None:
    """End a bot with its tokens and sockets; what it wrote stays. A second time changes nothing."""
    require_admin(actor)
    with transaction(SYSTEM) as tx:
        if views.one(tx, bot_id) is None:
            raise NotFound("The bot")
        for row in tx.execute(REVOKE_ALL, {"id": bot_id, "now": now}).all():
            bus.announce(tx, "session", sessionId=str(row.id))
        if tx.change(END, {"id": bot_id, "now": now}):
            bus.announce(tx, "profile", profileId=str(bot_id))
            audit.note(tx, "bot.ended", now=now, actor_id=actor.id, subject_id=bot_id)


def issue_token(actor: Actor, *, bot_id: UUID, request: IssueApiToken, now: datetime) -> View:
    """Make a token; the token itself is given here and never again."""
    require_admin(actor)
    token, seconds = BOT_PREFIX + token_urlsafe(32), request.expires_in_seconds
    expires_at = now + timedelta(seconds=seconds) if seconds else None
    row = ApiToken(
        id=ids.new_id(), profile_id=bot_id, name=request.name or "", token_hash=digest(token), created_by=actor.id,
        created_at=now, expires_at=expires_at,
    )  # fmt: skip
    token_id = str(row.id)
    with transaction(SYSTEM) as tx:
        if (views.one(tx, bot_id) or {}).get("disabledAt", now) is not None:
            raise NotFound("The bot")
        tx.add(row)
        audit.note(tx, "api_token.issued", now=now, actor_id=actor.id, subject_id=bot_id)
    shown = {"id": token_id, "name": request.name or "", "expiresAt": clock.wire(expires_at) if expires_at else None}
    return {"token": token, "apiToken": shown}


def revoke_token(actor: Actor, *, token_id: UUID, now: datetime) -> None:
    """End a token and the sockets that hang on it; a second time changes nothing."""
    require_admin(actor)
    with transaction(SYSTEM) as tx:
        if tx.execute(EXISTS, {"id": token_id}).one_or_none() is None:
            raise NotFound("The token")
        if tx.change(REVOKE, {"id": token_id, "now": now}):
            bus.announce(tx, "session", sessionId=str(token_id))
            audit.note(tx, "api_token.revoked", now=now, actor_id=actor.id, subject_id=token_id)
