"""The pages: signing in and out, the chat, the rooms to join."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.domain import accounts, conversations, messages, sessions
from app.domain.accounts import Client, SignedIn
from app.kernel import clock, cursor, requests as wire
from app.kernel.actor import Actor
from app.kernel.errors import DomainError, Forbidden, NotFound, Unauthenticated
from app.kernel.ids import parse_id
from app.kernel.settings import settings
from app.web import assets, look
from app.web.rendering import page
from app.web.security import is_own_form, protect

COOKIE = "parley_session"
LISTED = 50
Page = Callable[..., AnyResponse]

web = Blueprint("web", __name__, template_folder="templates")
web.after_request(protect)
for _name, _filter in look.FILTERS.items():
    web.add_app_template_filter(_filter, _name)


def signed_in(view: Page) -> Page:
    """Show a page to those who are signed in, as its first argument; the others sign in first."""

    @functools.wraps(view)
    def guarded(**path: Any) -> AnyResponse:
        actor = actor_of_page()
        if actor is None:
            return redirect(url_for("web.login", next=request.full_path.rstrip("?")))
        if request.method == "POST" and not sessions.csrf_matches(actor, request.form.get("csrf_token")):
            raise Forbidden("This page is old; load it again.")
        return view(actor, **path)

    return guarded


def actor_of_page() -> Actor | None:
    """Find who is signed in on this browser, or None."""
    try:
        return sessions.actor_of_cookie(request.cookies.get(COOKIE, ""))
    except Unauthenticated:
        return None


# signing in and out ---------------------------------------------------------------------------------------------------
@web.get("/")
def home() -> AnyResponse:
    """Lead to the chat, or to signing in."""
    return redirect(url_for("web.chat" if actor_of_page() else "web.login"))


@web.route("/login", methods=["GET", "POST"])
def login() -> AnyResponse:
    """Sign in by username or e-mail address."""
    return _entrance("pages/login.html", ("identifier", "password"), _log_in)


@web.route("/register", methods=["GET", "POST"])
def register() -> AnyResponse:
    """Make an account and sign it in."""
    return _entrance("pages/register.html", ("username", "email", "password", "displayName"), _register)


def _log_in(given: dict[str, str]) -> SignedIn:
    return accounts.login(request=wire.parse(wire.Login, given), kind="page", client=client(), now=clock.now())


def _register(given: dict[str, str]) -> SignedIn:
    return accounts.register(request=wire.parse(wire.Register, given), kind="page", client=client(), now=clock.now())


def client() -> Client:
    """Describe where the request comes from."""
    return Client(user_agent=request.headers.get("User-Agent", ""), address=request.remote_addr or "")


def _entrance(template: str, names: tuple[str, ...], enter: Callable[[dict[str, str]], SignedIn]) -> AnyResponse:
    onward = _onward()
    if request.method == "GET":
        return (
            redirect(onward)
            if actor_of_page()
            else page(template, next=onward, form={}, failure=None, notice=_notice())
        )
    if not is_own_form():
        raise Forbidden("This form was sent from another site.")
    given = {name: request.form.get(name, "") for name in names}
    try:
        result = enter({name: value for name, value in given.items() if value})
    except DomainError as failure:
        return page(template, status=failure.status, next=onward, form=given, failure=failure)
    return _with_cookie(redirect(onward, 303), result.cookie or "")


def _notice() -> str | None:
    return "Your new password is set. Sign in with it." if request.args.get("done") == "reset" else None


def _onward() -> str:
    """Where to go once signed in: a page of this origin, never another's."""
    wanted = request.args.get("next", "")
    is_own = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted
    return wanted if is_own else url_for("web.chat")


def _with_cookie(response: AnyResponse, value: str) -> AnyResponse:
    response.set_cookie(
        COOKIE, value, max_age=settings().session_ttl_s, httponly=True, secure=request.is_secure, samesite="Lax"
    )
    return response


@web.post("/logout")
@signed_in
def logout(actor: Actor) -> AnyResponse:
    """End this browser's session, with its sockets."""
    accounts.logout(actor, now=clock.now())
    response = redirect(url_for("web.login"), 303)
    response.delete_cookie(COOKIE, httponly=True, secure=request.is_secure, samesite="Lax")
    return response


# the chat -------------------------------------------------------------------------------------------------------------
@web.get("/chat")
@signed_in
def chat(actor: Actor) -> AnyResponse:
    """Show the conversations."""
    return _chat(actor, None)


@web.get("/chat/<room>")
@signed_in
def conversation(actor: Actor, room: str) -> AnyResponse:
    """Show a conversation, named by its id or a room's slug."""
    conversation_id = parse_id(room)
    if conversation_id is None:
        found = conversations.get(actor, conversation_id=conversations.by_room_ref(room))  # tells nobody else's slugs
        return redirect(url_for("web.conversation", room=found["id"]))
    page_of_history = messages.history(actor, conversation_id=conversation_id, limit=LISTED)
    found = conversations.get(actor, conversation_id=conversation_id)
    return _chat(actor, {"conversation": found, "page": page_of_history})


@web.get("/chat/<uuid:conversation_id>/<uuid:message_id>")
@signed_in
def message(actor: Actor, conversation_id: UUID, message_id: UUID) -> AnyResponse:
    """Show a conversation around one of its messages."""
    wanted = messages.get(actor, message_id=message_id)
    if wanted["conversationId"] != str(conversation_id):
        raise NotFound("The message")
    page_of_history = messages.history(
        actor, conversation_id=conversation_id, limit=LISTED, around=wanted["seq"] or None
    )
    found = conversations.get(actor, conversation_id=conversation_id)
    return _chat(actor, {"conversation": found, "page": page_of_history})


def _chat(actor: Actor, current: dict[str, Any] | None) -> AnyResponse:
    items, following = conversations.mine(actor, kind=None, archived=None, limit=LISTED, after=None)
    state = {
        "actor": _person(actor),
        "conversations": {"items": items, "nextCursor": cursor.of_instant(following)},
        "current": current,
    }
    return page("pages/chat.html", actor=actor, state=state)


def _person(actor: Actor) -> dict[str, Any]:
    return {
        "id": str(actor.id),
        "kind": actor.kind,
        "role": actor.role,
        "username": actor.username,
        "displayName": actor.display_name,
        "avatarUrl": actor.avatar_url,
    }


# static files ---------------------------------------------------------------------------------------------------------
@web.get("/assets/<fingerprint>/<path:path>")
def asset(fingerprint: str, path: str) -> AnyResponse:
    """Serve a static file; for ever where the address names its content."""
    return assets.answer(path, fingerprint)


@web.get("/realtime/parley.js")
def realtime() -> AnyResponse:
    """Serve the realtime client as one module, to pages of any origin; what it may do, its token says."""
    response = assets.answer("dist/parley.js", "")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = "no-cache"
    response.set_etag(assets.fingerprint())
    return response.make_conditional(request)
