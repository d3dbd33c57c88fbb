"""Reading a form with a file, to disk as it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from app.kernel import limits, text
from app.kernel.errors import DomainError, Invalid, Malformed, TooLarge

FORM_BYTES = 64 * 1024  # what a form needs around its file
WINDOWS_AND_UNIX = str.maketrans({"\\": "/"})


class Form:
    """A multipart form with one file, written to disk as it comes; whatever was not kept is gone at the end."""

    def __init__(self, begin: Callable[[], Any]) -> None:
        self._begin = begin
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
            raise _refusal() from error
        wrong = {name: ["is not a known field"] for name in [*fields, *files] if name != "file"}
        if "file" in fields or len(files.getlist("file")) != 1:
            wrong["file"] = ["must be one file"]
        if wrong:
            raise Invalid(wrong)
        self.name = _file_name(files["file"].filename or "")

    def _open(self, *_: Any, **__: Any) -> Any:
        if self._files:
            raise Invalid({"file": ["must be one file"]})
        self._files.append(self._begin())
        return self._files[0]


def _refusal() -> DomainError:
    """Say what was too much: bytes, or what a form has beside its file (then the length that was given is not)."""
    if request.content_length is not None and request.content_length <= limits.UPLOAD_MAX_BYTES + FORM_BYTES:
        return Invalid({"file": ["must be alone in the form"]})
    return TooLarge(f"A file may have at most {limits.UPLOAD_MAX_BYTES // 2**20} MB.")


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
