"""Multipart forms that clients may send."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.kernel.parsing import Request


class Form(Request):
    """A multipart form, which its call reads itself as it comes."""


class UploadForm(Form):
    """``POST /api/uploads``."""

    file: Annotated[bytes, Field(json_schema_extra={"format": "binary"})]


class PictureForm(Form):
    """``PUT /api/me/picture``."""

    file: Annotated[bytes, Field(json_schema_extra={"format": "binary"})]
