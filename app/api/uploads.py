"""Uploads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request, send_file
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from app.api.endpoint import endpoint
from app.domain import uploads
from app.kernel import clock, limits, query as query_models, requests as wire, text
from app.kernel.actor import Actor
from app.kernel.errors import Invalid, Malformed, TooLarge

FORM_BYTES = 64 * 1024  # what a form needs around its file
WINDOWS_AND_UNIX = str.maketrans({"\\": "/"})


@endpoint("POST", "/uploads", body=wire.UploadForm, data="Uploaded", made=True, customers=True)
def upload(*, actor: Actor) -> tuple[dict[str, Any], int]:
    """Upload a file (multipart, field ``file``) for a message to come."""
    with Form(actor) as form:
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


class Form:
    """A multipart form with one file, written to disk as it comes; whatever was not kept is gone at the end."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._files: list[Any] = []
        self.name = ""

    def __enter__(self) -> Form:
        request.max_content_length = limits.UPLOAD_MAX_BYTES + FORM_BYTES
        if request.mimetype != "multipart/form-data":
            raise Malformed("The body must be a form with a file: Content-Type: multipart/form-data.")
        try:
            self._read()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.discard()

    @property
    def received(self) -> Any:
        """Give the file."""
        return self._files[0]

    def _read(self) -> None:
        parser = FormDataParser(self._open, max_form_memory_size=FORM_BYTES, max_form_parts=8, silent=False)
        try:
            _, fields, files = parser.parse(
                request.stream, "multipart/form-data", request.content_length, request.mimetype_params
            )
        except ValueError as error:
            raise Malformed("The form could not be read.") from error
        except RequestEntityTooLarge as error:
            raise TooLarge(f"A file may have at most {limits.UPLOAD_MAX_BYTES // 2**20} MB.") from error
        wrong = {name: ["is not a known field"] for name in [*fields, *files] if name != "file"}
        if "file" in fields or len(files.getlist("file")) != 1:
            wrong["file"] = ["must be one file"]
        if wrong:
            raise Invalid(wrong)
        self.name = _file_name(files["file"].filename or "")

    def _open(self, *_: Any, **__: Any) -> Any:
        if self._files:
            raise Invalid({"file": ["must be one file"]})
        self._files.append(uploads.begin(self._actor))
        return self._files[0]


def _file_name(given: str) -> str:
    """Keep the last part of a path, its printable characters, and its ending where it is cut."""
    try:
        name = text.storable(given.translate(WINDOWS_AND_UNIX).rpartition("/")[2])
    except ValueError:
        name = ""
    name = text.trim("".join(c for c in name if c.isprintable()))
    stem, dot, ending = name.rpartition(".")
    if len(name) > limits.UPLOAD_NAME_MAX and dot and len(ending) <= 16:
        return f"{stem[: limits.UPLOAD_NAME_MAX - len(ending) - 1]}.{ending}"
    return name[: limits.UPLOAD_NAME_MAX] or "file"
