"""Customers, their tokens, and the support inbox: for staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.api.endpoint import endpoint
from app.domain import customers, identities, support
from app.kernel import clock, cursor, query as query_models, requests as wire
from app.kernel.actor import Actor


@endpoint("POST", "/customers", body=wire.CreateCustomer, data="CustomerMade", made=True)
def create(*, actor: Actor, body: wire.CreateCustomer) -> tuple[dict[str, Any], int]:
    """Make a customer."""
    return {"customer": customers.create(actor, request=body, now=clock.now())}, 201


@endpoint("POST", "/customers/identify", body=wire.Identify, data="Identified", public=True, made=True)
def identify(*, body: wire.Identify) -> tuple[dict[str, Any], int]:
    """Exchange an identity that another site has signed for a portal token."""
    made, is_new = identities.identify(identity=body.identity, now=clock.now())
    return made, 201 if is_new else 200


@endpoint("GET", "/customers", query=query_models.CustomersQuery, data="Page of Customer")
def find(*, actor: Actor, query: query_models.CustomersQuery) -> dict[str, Any]:
    """List customers."""
    items, following = customers.find(actor, q=query.q, limit=query.limit, after=cursor.to_instant(query.cursor))
    return {"items": items, "nextCursor": cursor.of_instant(following)}


@endpoint(
    "POST", "/customers/<customer_id>/portal-tokens", body=wire.IssuePortalToken, data="PortalTokenMade", made=True
)
def issue_token(*, actor: Actor, customer_id: UUID, body: wire.IssuePortalToken) -> tuple[dict[str, Any], int]:
    """Make a portal token; it is shown this once."""
    made = customers.issue_token(actor, customer_id=customer_id, expires_in_s=body.expires_in_seconds, now=clock.now())
    return made, 201


@endpoint("DELETE", "/portal-tokens/<token_id>", data="Ended")
def revoke_token(*, actor: Actor, token_id: UUID) -> dict[str, Any]:
    """End a portal token, with its sockets."""
    customers.revoke_token(actor, token_id=token_id, now=clock.now())
    return {"ended": str(token_id)}


@endpoint("GET", "/support/conversations", query=query_models.InboxQuery, data="Page of ConversationView")
def inbox(*, actor: Actor, query: query_models.InboxQuery) -> dict[str, Any]:
    """List the support conversations."""
    items, following = support.inbox(
        actor,
        status=query.status,
        assignee=query.assignee,
        limit=query.limit,
        after=cursor.to_instant(query.cursor),
        now=clock.now(),
    )
    return {"items": items, "nextCursor": cursor.of_instant(following)}


@endpoint("PATCH", "/support/conversations/<conversation_id>", body=wire.PatchSupport, data="Conversation")
def patch(*, actor: Actor, conversation_id: UUID, body: wire.PatchSupport) -> dict[str, Any]:
    """Change a support conversation's status or assignee."""
    return {"conversation": support.patch(actor, conversation_id=conversation_id, request=body, now=clock.now())}
