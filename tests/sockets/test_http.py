"""The head of a request, beside what the library makes of the same bytes."""

from __future__ import annotations

import io
from typing import Any

import pytest

from app.sockets import http, loop

pytestmark = pytest.mark.fast
PLAIN = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a:5000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"POST /api/v1/messages?x=%20y HTTP/1.1\r\nContent-Length: 3\r\nContent-Type: text/plain; charset=x\r\n\r\nabc",
    b"GET /a HTTP/1.1\r\nCookie: a=b; c=d\r\ncookie:   e  \r\nX-Empty:\r\nX-Latin: \xe9\xff\r\n\r\nGET /next HTTP/1.1\r\n\r\n",
    b"DELETE /a%2F../b HTTP/1.1\r\nConnection: close\r\n\r\n",
    b"GET /a HTTP/1.1\r\nConnection: Keep-Alive\r\nSec_Under: 1\r\n\r\n",
    b"GET /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
)
ODD = (
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/2.0\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/1.1\n\n",
    b"GET  / HTTP/1.1\r\n\r\n",
    b"GET //evil/ HTTP/1.1\r\n\r\n",
    b"GET http://a/ HTTP/1.1\r\n\r\n",
    b"GET /\xc3\xa9 HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
    b"GET / HTTP/1.1\r\nA : b\r\n\r\n",
    b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
    b"GET / HTTP/1.1\r\nA: b\x00c\r\n\r\n",
    b"GET / HTTP/1.1\r\nA: b\n\r\n",
    b"GET / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na",
    b"GET / HTTP/1.1\r\nA: b\r\nthe rest has not come",
    b"GET / HTTP/1.1\r\nA: " + b"a" * 9000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 65 + b"\r\n",
    b"GET / HTTP/1.1\r\nA:" + b" " * 8000,
    b"\r\n",
    b"",
)


def parsed(kind: Any, request: bytes) -> tuple[Any, ...]:
    """Have a class of the library's parse a request; gives all that it found, what it answered and what it left unread."""
    import eventlet.wsgi  # noqa: PLC0415 - not in a process that only collects tests

    handler = kind.__new__(kind)
    rest = io.BufferedReader(io.BytesIO(request))  # type: ignore[arg-type]
    handler.wfile, handler.client_address = io.BytesIO(), ("127.0.0.1", 1)
    handler.log_message = lambda *_: None
    handler.raw_requestline = rest.readline(65_536)
    handler.rfile = eventlet.wsgi.FileObjectForHeaders(rest)
    try:
        is_good = handler.parse_request()
    except (eventlet.wsgi.HeaderLineTooLong, eventlet.wsgi.HeadersTooLarge) as error:
        return (type(error),)
    found = {
        name: getattr(handler, name, None)
        for name in ("command", "path", "requestline", "request_version", "close_connection")
    }
    found["close_connection"] = bool(found["close_connection"])
    headers = getattr(handler, "headers", None)
    fields = None if headers is None else (headers._headers, headers.get_content_type(), headers.get("COOKIE"))
    answer = handler.wfile.getvalue().partition(b"Date:")[0]
    return is_good, found, fields, answer, rest.read() if is_good else None


@pytest.mark.parametrize("request_bytes", PLAIN)
def test_what_is_plain_is_read_at_once_and_as_the_library_reads_it(request_bytes: bytes) -> None:
    line, _, rest = request_bytes.partition(b"\r\n")
    assert http.head(line + b"\r\n", rest) is not None
    assert parsed(loop.protocol(), request_bytes) == parsed(loop.protocol().__base__, request_bytes)


@pytest.mark.parametrize("request_bytes", ODD)
def test_what_is_odd_is_left_to_the_library(request_bytes: bytes) -> None:
    line, end, rest = request_bytes.partition(b"\n")
    assert http.head(line + end, rest) is None
    assert parsed(loop.protocol(), request_bytes) == parsed(loop.protocol().__base__, request_bytes)
