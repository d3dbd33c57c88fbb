"""People."""

from __future__ import annotations

from typing import Any

from app.api.endpoint import endpoint
from app.domain import accounts
from app.kernel import cursor, query as query_models
from app.kernel.actor import Actor


@endpoint("GET", "/users", query=query_models.UsersQuery, data="Page of PersonView")
def find(*, actor: Actor, query: query_models.UsersQuery) -> dict[str, Any]:
    """Find people by the beginning of a username or name."""
    items, following = accounts.search(actor, q=query.q, limit=query.limit, after=cursor.to_text(query.cursor))
    return {"items": items, "nextCursor": cursor.of_text(following)}


@endpoint("GET", "/users/<username>", data="Person")
def person(*, actor: Actor, username: str) -> dict[str, Any]:
    """Read a person's public profile."""
    return {"user": accounts.person(actor, username=username)}
