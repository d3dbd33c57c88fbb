"""Pages of the origins in ``CHAT_ORIGINS`` may call with a token of their own; cookies are never shared."""

from __future__ import annotations

from flask import Response, request

from app.api.endpoint import api
from app.kernel.settings import settings

HEADERS = "Authorization, Content-Type, X-Request-ID"
METHODS = "GET, POST, PUT, PATCH, DELETE"
HOUR_S = 3600


@api.after_request
def share(response: Response) -> Response:
    """Let a page of a named origin read the answer; browsers ask first, by OPTIONS, whether they may call at all."""
    origin = request.headers.get("Origin", "")
    response.vary.add("Origin")
    if origin not in settings().origins and "*" not in settings().origins:
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = "Retry-After, X-Request-ID"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Headers"] = HEADERS
        response.headers["Access-Control-Allow-Methods"] = METHODS
        response.headers["Access-Control-Max-Age"] = str(HOUR_S)
    return response
