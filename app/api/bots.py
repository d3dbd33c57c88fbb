"""Bots and their tokens: for admins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.api.endpoint import endpoint
from app.domain import bots
from app.kernel import clock, cursor, query as query_models, requests as wire
from app.kernel.actor import Actor


@endpoint("POST", "/bots", body=wire.CreateBot, data="BotMade", made=True)
def create(*, actor: Actor, body: wire.CreateBot) -> tuple[dict[str, Any], int]:
    """Make a bot."""
    return {"bot": bots.create(actor, request=body, now=clock.now())}, 201


@endpoint("GET", "/bots", query=query_models.ListQuery, data="Page of Bot")
def find(*, actor: Actor, query: query_models.ListQuery) -> dict[str, Any]:
    """List the bots, each with its live tokens."""
    items, following = bots.find(actor, limit=query.limit, after=cursor.to_text(query.cursor))
    return {"items": items, "nextCursor": cursor.of_text(following)}


@endpoint("DELETE", "/bots/<bot_id>", data="Ended")
def end(*, actor: Actor, bot_id: UUID) -> dict[str, Any]:
    """End a bot, with its tokens and sockets."""
    bots.end(actor, bot_id=bot_id, now=clock.now())
    return {"ended": str(bot_id)}


@endpoint("POST", "/bots/<bot_id>/api-tokens", body=wire.IssueApiToken, data="ApiTokenMade", made=True)
def issue_token(*, actor: Actor, bot_id: UUID, body: wire.IssueApiToken) -> tuple[dict[str, Any], int]:
    """Make a token for a bot; it is shown this once."""
    return bots.issue_token(actor, bot_id=bot_id, request=body, now=clock.now()), 201


@endpoint("DELETE", "/api-tokens/<token_id>", data="Ended")
def revoke_token(*, actor: Actor, token_id: UUID) -> dict[str, Any]:
    """End a bot's token, with its sockets."""
    bots.revoke_token(actor, token_id=token_id, now=clock.now())
    return {"ended": str(token_id)}
