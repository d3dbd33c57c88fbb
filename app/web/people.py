"""The people and the rooms: finding somebody to talk to, and where."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.domain import accounts, conversations, memberships, presence
from app.kernel import clock, cursor, query as query_models, requests as wire
from app.kernel.actor import Actor
from app.kernel.errors import DomainError
from app.web.pages import signed_in, web
from app.web.rendering import page
from app.web.site import given, query


@web.get("/people")
@signed_in
def people(actor: Actor) -> AnyResponse:
    """Show everybody who can be written to, and who of those one knows is there."""
    asked = query(query_models.UsersQuery, "q", "cursor")
    found, following = accounts.search(actor, q=asked.q, limit=asked.limit, after=cursor.to_text(asked.cursor))
    items = [one for one in found if one["id"] != str(actor.id)]
    seen = presence.of_people(actor, ids=[UUID(one["id"]) for one in items])
    how = {one["userId"]: one for one in seen}
    return page(
        "pages/people.html", actor=actor, people=items, how=how, q=asked.q, next_cursor=cursor.of_text(following)
    )


@web.post("/people/<username>/talk")
@signed_in
def talk(actor: Actor, username: str) -> AnyResponse:
    """Open the direct conversation with somebody, made if absent."""
    conversation_id, _ = conversations.direct_with(actor, username=username, now=clock.now())
    return redirect(url_for("web.conversation", room=conversation_id), 303)


@web.get("/rooms")
@signed_in
def rooms(actor: Actor) -> AnyResponse:
    """Show the rooms that anyone may join."""
    return _rooms(actor)


def _rooms(actor: Actor, failure: DomainError | None = None, form: dict[str, str] | None = None) -> AnyResponse:
    asked = query(query_models.RoomsQuery, "q", "cursor")
    items, following = conversations.public_rooms(
        actor, q=asked.q, limit=asked.limit, after=cursor.to_text(asked.cursor)
    )
    return page(
        "pages/rooms.html",
        status=failure.status if failure else 200,
        actor=actor,
        rooms=items,
        q=asked.q,
        next_cursor=cursor.of_text(following),
        failure=failure,
        form=form or {},
    )


@web.post("/rooms")
@signed_in
def make_room(actor: Actor) -> AnyResponse:
    """Make a room and open it."""
    form = given(("title", "slug", "topic", "visibility"))
    try:
        wanted = wire.parse(wire.CreateConversation, {"kind": "room", **form})
        made, _ = conversations.create(actor, request=wanted, now=clock.now())
    except DomainError as failure:
        return _rooms(actor, failure, dict(request.form))
    return redirect(url_for("web.conversation", room=made["id"]), 303)


@web.post("/rooms/<room>/join")
@signed_in
def join(actor: Actor, room: str) -> AnyResponse:
    """Join a public room and open it."""
    conversation_id = conversations.by_room_ref(room)
    memberships.join(actor, conversation_id=conversation_id, now=clock.now())
    return redirect(url_for("web.conversation", room=conversation_id), 303)
