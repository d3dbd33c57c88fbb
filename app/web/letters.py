"""The pages that letters lead to: a forgotten password, and no more mails."""

from __future__ import annotations

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.domain import notifications, resets
from app.kernel import clock, requests as wire
from app.kernel.errors import DomainError, Forbidden
from app.web.pages import client, web
from app.web.rendering import page
from app.web.security import is_own_form


@web.route("/forgot", methods=["GET", "POST"])
def forgot() -> AnyResponse:
    """Ask for a link that sets a new password."""
    if request.method == "GET":
        return page("pages/forgot.html", form={}, failure=None, asked=False)
    if not is_own_form():
        raise Forbidden("This form was sent from another site.")
    given = {"identifier": request.form.get("identifier", "")}
    try:
        resets.forgot(request=wire.parse(wire.Forgot, given), client=client(), now=clock.now())
    except DomainError as failure:
        return page("pages/forgot.html", status=failure.status, form=given, failure=failure, asked=False)
    return page("pages/forgot.html", form=given, failure=None, asked=True)


@web.route("/reset", methods=["GET", "POST"])
def reset() -> AnyResponse:
    """Set a new password. The link's token stands behind the '#', where only the page's own code sees it.

    It is what lets this form through, from wherever it was sent.
    """
    if request.method == "GET":
        return _untold(page("pages/reset.html", form={}, failure=None))
    given = {name: request.form.get(name, "") for name in ("token", "password")}
    try:
        resets.reset(request=wire.parse(wire.ResetPassword, given), client=client(), now=clock.now())
    except DomainError as failure:
        form = {"token": given["token"]}
        return _untold(page("pages/reset.html", status=failure.status, form=form, failure=failure))
    return _untold(redirect(url_for("web.login", done="reset"), 303))


@web.route("/unsubscribe/<token>", methods=["GET", "POST"])
def unsubscribe(token: str) -> AnyResponse:
    """End someone's mails. Looking at the page ends nothing, for mail programs look at links by themselves.

    Mail programs post here on one click of theirs (RFC 8058): no cookie, no form of ours, no redirect.
    """
    notifications.whose(token)
    if request.method == "POST":
        notifications.unsubscribe(token=token, now=clock.now())
    return _untold(page("pages/unsubscribe.html", token=token, done=request.method == "POST"))


def _untold(response: AnyResponse) -> AnyResponse:
    """Have the browser tell nobody which page this was."""
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
