"""How a page is rendered: what every template may use."""

from __future__ import annotations

import gzip
import secrets
from typing import Any

from flask import Response, make_response, render_template, request

from app.domain import sessions
from app.kernel.actor import Actor
from app.web import assets
from app.web.security import nonce

BLUR_MAX_BYTES = 96
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
    return _zipped(make_response(body, status))


def _zipped(response: Response) -> Response:
    """Compress a page. It holds a token beside other people's words, so its length is blurred: it tells nothing of either."""
    response.vary.add("Accept-Encoding")
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        blur = f"<!-- {secrets.token_urlsafe(secrets.randbelow(BLUR_MAX_BYTES))} -->"
        response.set_data(gzip.compress(response.get_data() + blur.encode(), 6))
        response.headers["Content-Encoding"] = "gzip"
    return response
