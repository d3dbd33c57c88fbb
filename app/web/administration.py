"""Looking after the installation: people and their roles, public rooms, how much there is."""

from __future__ import annotations

from uuid import UUID

from flask import request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.domain import administration
from app.kernel import clock, cursor, query as query_models
from app.kernel.actor import Actor
from app.kernel.errors import DomainError, Invalid
from app.web.pages import signed_in, web
from app.web.rendering import page
from app.web.site import admins_only, carried_out, query, said


@web.get("/admin")
@signed_in
def admin(actor: Actor) -> AnyResponse:
    """Show the accounts, and how much there is."""
    return _admin(actor)


def _admin(actor: Actor, failure: DomainError | None = None) -> AnyResponse:
    admins_only(actor)
    asked = query(query_models.UsersQuery, "q", "cursor")
    people, following = administration.people(
        actor, q=asked.q, limit=asked.limit, after=cursor.to_text(asked.cursor) or ""
    )
    return page(
        "pages/admin.html",
        status=failure.status if failure else 200,
        actor=actor,
        people=people,
        figures=administration.figures(actor),
        rooms=administration.rooms(actor),
        roles=administration.ROLES,
        q=asked.q,
        next_cursor=cursor.of_text(following),
        said=said(),
        failure=failure,
    )


@web.post("/admin/people/<uuid:profile_id>/role")
@signed_in
def set_role(actor: Actor, profile_id: UUID) -> AnyResponse:
    """Give somebody a role."""
    role = request.form.get("role", "")
    if role not in administration.ROLES:
        raise Invalid({"role": ["must be member, staff or admin"]})
    return carried_out(
        lambda: administration.set_role(actor, profile_id=profile_id, role=role, now=clock.now()),
        onward=url_for("web.admin", said="role"),
        again=lambda failure: _admin(actor, failure),
    )


@web.post("/admin/people/<uuid:profile_id>/<any(close, open):what>")
@signed_in
def set_open(actor: Actor, profile_id: UUID, what: str) -> AnyResponse:
    """Close somebody's account, or open it again."""
    is_open = what == "open"
    return carried_out(
        lambda: administration.set_open(actor, profile_id=profile_id, is_open=is_open, now=clock.now()),
        onward=url_for("web.admin", said="enabled" if is_open else "disabled"),
        again=lambda failure: _admin(actor, failure),
    )
