"""The head of an HTTP request, read in one step where it has come whole and plain: the library parses it as it would a mail.

Whatever looks odd (a folded line, a space before a colon, an expectation, another version) is the library's to judge.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import sys
from http.client import HTTPMessage
from typing import Any, NamedTuple
from urllib.parse import unquote

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
HEAD_MAX_BYTES = 16_384
LINE = re.compile(rb"([A-Z]{3,7}) (/[!-~]*) HTTP/1\.1\r\n")
# One way only to match each text: with two, a client could have us try 2 ** 64 of them.
FIELD = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r\n"
FIELDS = re.compile(rb"(?:" + FIELD + rb"){0,64}\r\n")
PEEK_MAX_BYTES = 8192


class Head(NamedTuple):
    """What a plain request begins with; ``size`` counts the bytes of its header fields and the empty line.

    One of ``upgrade`` counts its first line too.
    """

    line: str
    command: str
    path: str
    headers: HTTPMessage
    size: int


def head(line: bytes, peeked: bytes) -> Head | None:
    """Read a request's line and the header fields at the start of what has come after it; None where that is not plain."""
    first, fields = LINE.fullmatch(line), FIELDS.match(peeked, 0, PEEK_MAX_BYTES)
    if first is None or fields is None or first[2].startswith(b"//"):
        return None
    headers = HTTPMessage()
    for field in fields[0][:-2].decode("latin-1").split("\r\n")[:-1]:
        name, _, value = field.partition(":")
        headers.set_raw(name, value.lstrip(" \t"))
    if "expect" in headers:
        return None
    return Head(line[:-2].decode(), first[1].decode(), first[2].decode(), headers, fields.end())


def upgrade(seen: bytes) -> Head | None:
    """Read what a connection begins with; None where that is anything but a plain request for a WebSocket of Socket.IO's."""
    end = seen.find(b"\r\n") + 2
    if end < 2 or not seen.startswith(b"GET /socket.io/?"):
        return None
    found = head(seen[:end], seen[end:])
    if (
        found is None
        or end + found.size != len(seen)
        or "sid=" in found.path
        or "transport=websocket" not in found.path
    ):
        return None
    get = found.headers.get
    if (
        get("Upgrade", "").lower() != "websocket"
        or "upgrade" not in [part.strip() for part in get("Connection", "").lower().split(",")]
        or get("Sec-WebSocket-Version") != "13"
        or not get("Sec-WebSocket-Key")
        or get("Content-Length", "0") != "0"
        or "Transfer-Encoding" in found.headers
    ):
        return None
    return found._replace(size=len(seen))


def environ(found: Head, *, own: tuple[Any, ...], peer: tuple[Any, ...]) -> dict[str, Any]:
    """Make a request's WSGI environment (PEP 3333), as the library makes it."""
    path, _, query = found.path.partition("?")
    made: dict[str, Any] = {
        "wsgi.errors": sys.stderr, "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": False,
        "wsgi.run_once": False, "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
        "REQUEST_METHOD": found.command, "SCRIPT_NAME": "", "RAW_PATH_INFO": path, "PATH_INFO": unquote(path, "latin1"),
        "QUERY_STRING": query, "CONTENT_TYPE": found.headers.get("Content-Type", "text/plain"),
        "SERVER_PROTOCOL": "HTTP/1.0", "SERVER_NAME": own[0], "SERVER_PORT": str(own[1]), "REMOTE_ADDR": peer[0],
        "REMOTE_PORT": str(peer[1]), "GATEWAY_INTERFACE": "CGI/1.1",
    }  # fmt: skip
    for name, value in found.headers.items():
        key = "HTTP_" + name.replace("-", "_").upper()
        if "_" not in name and key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
            plain = value.strip(" \t")
            made[key] = f"{made[key]},{plain}" if key in made else plain
    return made


def switching(key: str) -> bytes:
    """Give the answer that lets a WebSocket in (RFC 6455 section 4.2.2)."""
    proof = base64.b64encode(hashlib.sha1(key.encode() + GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + proof
        + b"\r\n\r\n"
    )
