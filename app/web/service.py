"""Customer service: the inbox of support conversations, the customers, and the links that let them in."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.domain import customers, support
from app.kernel import clock, cursor, query as query_models, requests as wire
from app.kernel.actor import Actor
from app.kernel.errors import DomainError
from app.web.pages import signed_in, web
from app.web.rendering import page
from app.web.site import given, query, said, staff_only


@web.get("/support")
@signed_in
def support_inbox(actor: Actor) -> AnyResponse:
    """Show the support conversations of a status, all or those that are one's own."""
    staff_only(actor)
    asked = query(query_models.InboxQuery, "status", "assignee", "cursor")
    status = asked.status or ("open" if "status" not in request.args else None)
    items, following = support.inbox(
        actor,
        status=status,
        assignee=asked.assignee,
        limit=asked.limit,
        after=cursor.to_instant(asked.cursor),
        now=clock.now(),
    )
    return page(
        "pages/support.html",
        actor=actor,
        items=items,
        names={one["id"]: one["displayName"] for c in items for one in c["participants"]},
        shown=status,
        assignee=str(asked.assignee) if asked.assignee else None,
        next_cursor=cursor.of_instant(following),
        said=said(),
    )


@web.post("/support/<uuid:conversation_id>")
@signed_in
def change_support(actor: Actor, conversation_id: UUID) -> AnyResponse:
    """Change a support conversation's status or whose it is, and show the same list again."""
    form: dict[str, str | None] = dict(given(("status", "assigneeId")))
    if request.form.get("assigneeId") == "nobody":
        form["assigneeId"] = None
    support.patch(actor, conversation_id=conversation_id, request=wire.parse(wire.PatchSupport, form), now=clock.now())
    status, assignee = request.args.get("status"), request.args.get("assignee")
    return redirect(url_for("web.support_inbox", status=status, assignee=assignee, said="saved"), 303)


# customers ------------------------------------------------------------------------------------------------------------
@web.get("/support/customers")
@signed_in
def customer_list(actor: Actor) -> AnyResponse:
    """Show the customers."""
    return _customers(actor)


def _customers(
    actor: Actor, failure: DomainError | None = None, link: dict[str, str | None] | None = None
) -> AnyResponse:
    staff_only(actor)
    asked = query(query_models.CustomersQuery, "q", "cursor")
    items, following = customers.find(actor, q=asked.q, limit=asked.limit, after=cursor.to_instant(asked.cursor))
    return page(
        "pages/customers.html",
        status=failure.status if failure else 200,
        actor=actor,
        customers=items,
        q=asked.q,
        next_cursor=cursor.of_instant(following),
        said=said(),
        refusal=failure,
        form=request.form,
        link=link,
    )


@web.post("/support/customers")
@signed_in
def make_customer(actor: Actor) -> AnyResponse:
    """Make a customer."""
    try:
        wanted = wire.parse(wire.CreateCustomer, given(("displayName", "email", "externalId")))
        customers.create(actor, request=wanted, now=clock.now())
    except DomainError as failure:
        return _customers(actor, failure)
    return redirect(url_for("web.customer_list", said="made"), 303)


@web.post("/support/customers/<uuid:customer_id>/link")
@signed_in
def make_link(actor: Actor, customer_id: UUID) -> AnyResponse:
    """Make a link into the portal and show it this once.

    The token stands behind the `#`: browsers send that part to no server, so no log and no proxy ever sees it.
    """
    made = customers.issue_token(actor, customer_id=customer_id, expires_in_s=None, now=clock.now())
    address = url_for("web.portal", _external=True) + "#" + made["token"]
    return _customers(actor, link={"address": address, "id": made["portalToken"]["id"]})


@web.post("/support/links/<uuid:token_id>/revoke")
@signed_in
def revoke_link(actor: Actor, token_id: UUID) -> AnyResponse:
    """End a link, and whoever came in by it."""
    customers.revoke_token(actor, token_id=token_id, now=clock.now())
    return redirect(url_for("web.customer_list", said="revoked"), 303)
