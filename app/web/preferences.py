"""One's own settings: who one is, how it looks, where one is signed in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.domain import accounts, notifications, sessions
from app.kernel import clock, requests as wire
from app.kernel.actor import Actor
from app.kernel.errors import DomainError
from app.web.pages import signed_in, web
from app.web.rendering import THEMES, page
from app.web.site import carried_out, given, said

YEAR_S = 365 * 24 * 3600
# The form's names are those of the API; `name` holds the person's own name.
PROFILE = ("displayName", "email", "currentPassword")
# How long one is away before a mail is worth it, in minutes; what one has already is shown too.
DELAYS = {5: "5 minutes", 15: "15 minutes", 60: "an hour", 240: "4 hours", 1440: "a day"}
PASSWORD = ("currentPassword", "password")


@web.get("/settings")
@signed_in
def settings_page(actor: Actor) -> AnyResponse:
    """Show one's settings."""
    return _settings(actor)


def _settings(actor: Actor, failure: DomainError | None = None, about: str = "") -> AnyResponse:
    return page(
        "pages/settings.html",
        status=failure.status if failure else 200,
        actor=actor,
        me=accounts.me(actor),
        sessions=sessions.mine(actor, now=clock.now()),
        mails=notifications.mine(actor),
        delays=DELAYS,
        said=said(),
        refusal=failure,
        about=about,
    )


@web.post("/settings/profile")
@signed_in
def change_profile(actor: Actor) -> AnyResponse:
    """Change one's name and address; the address needs the password."""
    form = given(PROFILE)
    if form.get("email") == accounts.me(actor)["email"]:
        form = {name: value for name, value in form.items() if name == "displayName"}
    return _change(actor, form, "profile", "saved")


@web.post("/settings/password")
@signed_in
def change_password(actor: Actor) -> AnyResponse:
    """Change one's password."""
    # An empty field is said to be missing, never taken for "no change".
    return _change(actor, {name: request.form.get(name, "") for name in PASSWORD}, "password", "password")


def _change(actor: Actor, form: dict[str, Any], about: str, word: str) -> AnyResponse:
    return carried_out(
        lambda: accounts.patch_me(actor, request=wire.parse(wire.PatchMe, form), now=clock.now()),
        onward=url_for("web.settings_page", said=word),
        again=lambda failure: _settings(actor, failure, about),
    )


@web.post("/settings/mails")
@signed_in
def change_mails(actor: Actor) -> AnyResponse:
    """Choose what one is mailed of while away, and after how long."""
    form: dict[str, Any] = dict(given(("email", "delayMinutes")))
    if form.get("delayMinutes", "").isdecimal():
        form["delayMinutes"] = int(form["delayMinutes"])
    return carried_out(
        lambda: notifications.configure(actor, request=wire.parse(wire.NotificationSettings, form), now=clock.now()),
        onward=url_for("web.settings_page", said="saved"),
        again=lambda failure: _settings(actor, failure, "mails"),
    )


@web.post("/settings/appearance")
@signed_in
def change_appearance(actor: Actor) -> AnyResponse:
    """Choose light, dark, or what the system says; kept on this browser."""
    response = redirect(url_for("web.settings_page", said="saved"), 303)
    theme = request.form.get("theme", "")
    if theme in THEMES:
        response.set_cookie("parley_theme", theme, max_age=YEAR_S, secure=request.is_secure, samesite="Lax")
    else:
        response.delete_cookie("parley_theme", secure=request.is_secure, samesite="Lax")
    return response


@web.post("/settings/sessions/<uuid:session_id>/end")
@signed_in
def end_session(actor: Actor, session_id: UUID) -> AnyResponse:
    """End one of one's sessions, with its sockets."""
    sessions.revoke(actor, session_id=session_id, now=clock.now())
    return redirect(url_for("web.settings_page", said="ended"), 303)
