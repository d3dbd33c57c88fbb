"""The customers' portal: one conversation with staff, let in by a link."""

from __future__ import annotations

from werkzeug.wrappers import Response as AnyResponse

from app.web.pages import web
from app.web.rendering import page


@web.get("/portal")
def portal() -> AnyResponse:
    """Show the portal. The token stands behind the `#`, so only the page's own code reads it: this knows nobody."""
    return page("pages/portal.html")
