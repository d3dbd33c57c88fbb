"""Operations: liveness, readiness, and the description of the API."""

from __future__ import annotations

import hmac
import ipaddress
from typing import Any

from flask import Blueprint, Response, request

from app.api import description
from app.api.endpoint import api, current_actor, endpoint, success
from app.domain import measuring, operations as verbs
from app.kernel.actor import Actor
from app.kernel.errors import Forbidden
from app.kernel.settings import settings
from app.outbound import metrics

operations = Blueprint("operations", __name__)


@operations.get("/healthz")
def healthz() -> Response:
    """Say that this process answers."""
    return success({"status": "ok"})


@operations.get("/readyz")
def readyz() -> Response:
    """Say whether this process can serve, or 503 and which parts are in the way."""
    return success(verbs.readiness())


@operations.get("/metrics")
def numbers() -> Response:
    """Give this machine's numbers to Prometheus, or to an admin."""
    _check_metrics_access()
    return Response(measuring.exposition(), content_type=metrics.CONTENT_TYPE, headers={"Cache-Control": "no-store"})


def _check_metrics_access() -> None:
    """Let in who has the token, an admin, and in development this machine; a proxy would make everybody look like that."""
    token, header = settings().metrics_token, request.headers.get("Authorization", "")
    if token and hmac.compare_digest(header.encode(), f"Bearer {token}".encode()):
        return
    if not token and not settings().is_production and _is_from_here():
        return
    if current_actor().role != "admin":
        raise Forbidden("Only an admin may see the numbers, or who has CHAT_METRICS_TOKEN.")


def _is_from_here() -> bool:
    try:
        is_loopback = ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        is_loopback = False
    return is_loopback and not any(name.lower().startswith(("x-forwarded", "forwarded")) for name, _ in request.headers)


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
