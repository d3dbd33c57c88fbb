"""Operations: liveness, readiness, and the description of the API."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from app.api import description
from app.api.endpoint import api, endpoint, success
from app.domain import operations as verbs
from app.kernel.actor import Actor

operations = Blueprint("operations", __name__)


@operations.get("/healthz")
def healthz() -> Response:
    """Say that this process answers."""
    return success({"status": "ok"})


@operations.get("/readyz")
def readyz() -> Response:
    """Say whether this process can serve, or 503 and which parts are in the way."""
    return success(verbs.readiness())


@api.get("/openapi.json")
def openapi() -> Response:
    """Describe every call (OpenAPI 3.1)."""
    return description.response()


@endpoint("GET", "/connection", data="Connection", customers=True)
def connection(*, actor: Actor) -> dict[str, Any]:
    """Say how this very request arrived: what the proxies in between make of one's address, scheme and host."""
    counts = {name: _count(f"X-Forwarded-{name}") for name in ("for", "proto", "host")}
    return {
        "address": request.remote_addr or "",
        "scheme": request.scheme,
        "host": request.host,
        "forwarded": counts,
    }


def _count(header: str) -> int:
    return sum(1 for part in ",".join(request.headers.getlist(header)).split(",") if part.strip())
