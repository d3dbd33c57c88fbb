"""How a page is rendered: what every template may use."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, request

from app.domain import sessions
from app.kernel.actor import Actor
from app.web import assets
from app.web.security import nonce

THEMES = ("light", "dark")


def page(template: str, *, status: int = 200, actor: Actor | None = None, **values: Any) -> Response:
    """Render a template; ``actor`` is who is signed in."""
    theme = request.cookies.get("parley_theme")
    body = render_template(
        template,
        asset=assets.asset,
        import_map=assets.import_map(),
        modules=assets.modules,
        nonce=nonce(),
        theme=theme if theme in THEMES else None,
        csrf_token=sessions.csrf_token(actor) if actor else None,
        actor=actor,
        status=status,
        **values,
    )
    return make_response(body, status)
