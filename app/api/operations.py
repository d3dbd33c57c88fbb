"""Operations: liveness, readiness, and the description of the API."""

from __future__ import annotations

from flask import Blueprint, Response

from app.api import description
from app.api.endpoint import api, success
from app.domain import operations as verbs

operations = Blueprint("operations", __name__)


@operations.get("/healthz")
def healthz() -> Response:
    """Say that this process answers."""
    return success({"status": "ok"})


@operations.get("/readyz")
def readyz() -> Response:
    """Say whether this process can serve: the database, Redis and the write mode."""
    report = verbs.readiness()
    return success(report, 200 if report["ready"] else 503)


@api.get("/openapi.json")
def openapi() -> Response:
    """Describe every call (OpenAPI 3.1)."""
    return description.response()
