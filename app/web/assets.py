"""Static files under an address that changes with their content.

A page loads every module from `/assets/<fingerprint>/…`, so relative imports stay within one release: a browser
never mixes the code of two deploys, and may keep each for ever.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

STATIC = Path(__file__).resolve().parent.parent / "static"

IMPORTS = {
    "htm": "vendor/htm.js",
    "idb": "vendor/idb.js",
    "preact": "vendor/preact.js",
    "preact/hooks": "vendor/preact-hooks.js",
    "socket.io-client": "vendor/socket.io.js",
}

MODULE_FOLDERS = ("js", "vendor")


@cache
def fingerprint() -> str:
    """name the content of all static files, as read when the process began."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def asset(path: str) -> str:
    """give the address of one static file."""
    return f"/assets/{fingerprint()}/{path}"


def import_map() -> dict[str, dict[str, str]]:
    """tell the browser where the bare names of its modules are."""
    return {"imports": {name: asset(path) for name, path in IMPORTS.items()}}


@cache
def modules() -> tuple[str, ...]:
    """list the addresses of all modules of the chat page, to be fetched at once and not one level at a time."""
    found = [path for folder in MODULE_FOLDERS for path in sorted((STATIC / folder).rglob("*.js"))]
    return tuple(asset(path.relative_to(STATIC).as_posix()) for path in found)
