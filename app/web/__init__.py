"""Pages."""

from __future__ import annotations

from flask import Flask, Response


def register(app: Flask) -> None:
    """Put the pages on the application."""


def error_page(status: int, message: str) -> Response:
    """Say on a page what went wrong."""
    return Response(message, status=status, content_type="text/plain; charset=utf-8")
