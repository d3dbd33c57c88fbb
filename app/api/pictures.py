"""The pictures that go with names."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, send_file

from app.api.endpoint import endpoint
from app.api.forms import Form
from app.domain import accounts, pictures
from app.kernel.actor import Actor
from app.kernel.forms import PictureForm


@endpoint("PUT", "/me/picture", body=PictureForm, data="Me", customers=True)
def change(*, actor: Actor) -> dict[str, Any]:
    """Show a picture beside one's name (multipart, field ``file``)."""
    with Form(lambda: pictures.begin(actor)) as form:
        pictures.change(actor, received=form.received)
    return accounts.me_or_customer(actor)


@endpoint("DELETE", "/me/picture", data="Me", customers=True)
def take_off(*, actor: Actor) -> dict[str, Any]:
    """Show no picture beside one's name."""
    pictures.take_off(actor)
    return accounts.me_or_customer(actor)


@endpoint("GET", "/pictures/<picture_id>", data="File", customers=True)
def download(*, actor: Actor, picture_id: UUID) -> Response:
    """Download a picture; its address changes with it, so it may be kept for good."""
    response = send_file(
        pictures.find(picture_id=picture_id), mimetype="image/webp", conditional=True, etag=str(picture_id)
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    response.headers["Vary"] = "Authorization, Cookie"
    return response
