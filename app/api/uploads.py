"""Uploads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, send_file

from app.api.endpoint import endpoint
from app.api.forms import Form
from app.domain import uploads
from app.kernel import clock, query as query_models
from app.kernel.actor import Actor
from app.kernel.forms import UploadForm


@endpoint("POST", "/uploads", body=UploadForm, data="Uploaded", made=True, customers=True)
def upload(*, actor: Actor) -> tuple[dict[str, Any], int]:
    """Upload a file (multipart, field ``file``) for a message to come."""
    with Form(lambda: uploads.begin(actor)) as form:
        shown = uploads.finish(actor, received=form.received, name=form.name, now=clock.now())
    return {"upload": shown}, 201


@endpoint("GET", "/uploads/<upload_id>", query=query_models.UploadQuery, data="File", customers=True)
def download(*, actor: Actor, upload_id: UUID, query: query_models.UploadQuery) -> Response:
    """Download an upload, or its thumbnail."""
    found = uploads.find(actor, upload_id=upload_id, thumbnail=query.size == "thumbnail")
    response = send_file(
        found.path,
        mimetype=found.content_type,
        as_attachment=not found.is_shown,
        download_name=found.name,
        conditional=True,
        etag=found.etag,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    # Asked for again each time, and answered 304: who may see it can change at any moment.
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization, Cookie"
    return response
