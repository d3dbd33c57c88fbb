"""What a page may do: the headers of every page, and which forms are taken."""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlsplit

from flask import Response, g, request

HOST = re.compile(r"[A-Za-z0-9.\-\[\]:]+")


def nonce() -> str:
    """Give the one-time word that lets this page's own import map run."""
    if "page_nonce" not in g:
        g.page_nonce = secrets.token_urlsafe(16)
    return str(g.page_nonce)


def protect(response: Response) -> Response:
    """Put the security headers on a page."""
    headers = response.headers
    headers["Content-Security-Policy"] = content_security_policy()
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers.setdefault("Referrer-Policy", "same-origin")
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    headers.setdefault("Cache-Control", "no-store")
    return response


def content_security_policy() -> str:
    """Allow this origin's own files and socket, and nothing else.

    `'self'` covers the socket in current browsers; older ones need it by name.
    """
    host = request.host if HOST.fullmatch(request.host) else ""
    socket = f" ws://{host} wss://{host}" if host else ""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce()}'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            f"connect-src 'self'{socket}",
            "media-src 'self' blob:",
            "manifest-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types parley-worker",  # the one rule: the address of the service worker
        )
    )


def is_own_form() -> bool:
    """Tell whether a form was sent from a page of this origin.

    Before anybody is signed in there is no token to compare; every browser says where a form comes from.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host
