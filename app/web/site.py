"""What the signed-in pages beside the chat share: how a form is carried out, and what is said afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import redirect, request
from werkzeug.wrappers import Response as AnyResponse

from app.kernel import requests as wire
from app.kernel.actor import Actor
from app.kernel.errors import DomainError, Forbidden

# What a page says after a form was carried out; the address carries only the word, so that no address puts words here.
SAID = {
    "saved": "Saved.",
    "password": "Your password is changed. Every other session has ended.",
    "ended": "The session has ended.",
    "made": "Made.",
    "revoked": "The link is worth nothing any more.",
    "role": "The role is changed.",
    "disabled": "The account is closed, and everything it was signed in to.",
    "enabled": "The account is open again.",
}


def said() -> str | None:
    """Say what the last form did, where this page was led to by one."""
    return SAID.get(request.args.get("said", ""))


def given(names: Iterable[str]) -> dict[str, str]:
    """Read the named fields of the form; one that was left empty counts as not given."""
    fields = {name: request.form.get(name, "").strip() for name in names}
    return {name: value for name, value in fields.items() if value}


def query(model: type[Any], *names: str) -> Any:
    """Read the named parts of the address's query; raises Invalid."""
    return wire.parse(model, {name: request.args[name] for name in names if request.args.get(name)})


def carried_out(verb: Callable[[], object], *, onward: str, again: Callable[[DomainError], AnyResponse]) -> AnyResponse:
    """Carry a form out and lead onward; where it is refused, show the page again with the reason."""
    try:
        verb()
    except DomainError as refusal:
        return again(refusal)
    return redirect(onward, 303)


def staff_only(actor: Actor) -> None:
    """Make sure that the actor answers customers; raises Forbidden."""
    if not actor.is_staff:
        raise Forbidden("This page is for staff.")


def admins_only(actor: Actor) -> None:
    """Make sure that the actor looks after this installation; raises Forbidden."""
    if actor.role != "admin":
        raise Forbidden("This page is for admins.")
