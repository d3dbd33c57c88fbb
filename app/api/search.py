"""Search."""

from __future__ import annotations

from typing import Any

from app.api.endpoint import endpoint
from app.domain import search
from app.kernel import cursor, query as query_models
from app.kernel.actor import Actor


@endpoint("GET", "/search", query=query_models.SearchQuery, data="Page of MessageEvent", customers=True)
def find(*, actor: Actor, query: query_models.SearchQuery) -> dict[str, Any]:
    """Find messages that one may see, newest first."""
    items, following = search.find(actor, query=query, before=cursor.to_instant(query.cursor))
    return {"items": items, "nextCursor": cursor.of_instant(following)}
