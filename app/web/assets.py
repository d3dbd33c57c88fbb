"""Static files under an address that changes with their content.

A page loads every module from `/assets/<fingerprint>/…`, so relative imports stay within one release: a browser
never mixes the code of two deploys, and may keep each for ever. They are few and small: read once, kept compressed.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import posixpath
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Response, request

from app.kernel.errors import NotFound

STATIC = Path(__file__).resolve().parent.parent / "static"
YEAR_S = 365 * 24 * 3600

IMPORTS = {
    "htm": "vendor/htm.js",
    "idb": "vendor/idb.js",
    "marked": "vendor/marked.js",
    "preact": "vendor/preact.js",
    "preact/hooks": "vendor/preact-hooks.js",
    "socket.io-client": "vendor/socket.io.js",
}
IMPORT = re.compile(r'(?:^|;)(?:import|export)\b(?:[^;"\']*?\bfrom)?\s*["\']([^"\']+)["\']', re.MULTILINE)
COMMENT = re.compile(rb"/\*\*.*?\*/ ?|^[ \t]*//[^\n]*$", re.DOTALL | re.MULTILINE)
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class File:
    """One static file, as it is and compressed."""

    body: bytes
    compressed: bytes
    mimetype: str


@cache
def files() -> dict[str, File]:
    """Read all static files, by their path below the folder."""
    found = sorted(path for path in STATIC.rglob("*") if path.is_file() and not path.name.endswith(".d.ts"))
    return {path.relative_to(STATIC).as_posix(): _read(path) for path in found}


def _read(path: Path) -> File:
    body = path.read_bytes()
    if path.is_relative_to(STATIC / "js"):  # comments are for who reads the source; the lines keep their numbers
        body = COMMENT.sub(lambda found: b"\n" * found[0].count(b"\n"), body)
    mimetype = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return File(body, gzip.compress(body, mtime=0), mimetype)


@cache
def fingerprint() -> str:
    """Name the content of all static files, as read when the process began."""
    digest = hashlib.sha256()
    for path, file in files().items():
        digest.update(path.encode() + b"\0" + hashlib.sha256(file.body).digest())
    return digest.hexdigest()[:12]


def asset(path: str) -> str:
    """Give the address of one static file."""
    return f"/assets/{fingerprint()}/{path}"


def import_map() -> dict[str, dict[str, str]]:
    """Tell the browser where the bare names of its modules are."""
    return {"imports": {name: asset(path) for name, path in IMPORTS.items()}}


@cache
def modules(entry: str) -> tuple[str, ...]:
    """List the addresses of all modules that an entry needs, to be fetched at once and not one level at a time.

    What is imported only where it is needed (`import(…)`) stays out.
    """
    found: dict[str, None] = {}
    waiting = [entry]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = None
            waiting += [_resolved(path, name) for name in IMPORT.findall(files()[path].body.decode())]
    return tuple(asset(path) for path in found)


def shell() -> list[str]:
    """List the addresses of what a device keeps, to open without a network."""
    return [asset(path) for path in files() if not path.startswith(("vendor/licences/", "css/docs"))]


def _resolved(importer: str, name: str) -> str:
    return IMPORTS[name] if name in IMPORTS else posixpath.normpath(posixpath.join(posixpath.dirname(importer), name))


def answer(path: str, asked_fingerprint: str) -> Response:
    """Give one file; raises NotFound.

    While a deploy goes on, a page of the new release may ask a process of the old one: it gets what is there, to use once.
    """
    file = files().get(path)
    if file is None:
        raise NotFound("The file")
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    response = Response(file.compressed if zipped else file.body, mimetype=file.mimetype)
    response.headers["Vary"] = "Accept-Encoding"
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    lasting = asked_fingerprint == fingerprint()
    response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable" if lasting else "no-store"
    return response
