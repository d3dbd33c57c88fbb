"""Pages: the first look rendered here, then the browser's own code takes over."""

from __future__ import annotations

from flask import Flask, Response

from app.web import administration, letters, pages, people, portal, preferences, service, worker
from app.web.rendering import page
from app.web.security import protect

SENTENCES = {
    403: ("You may not do this", "You can see this, but doing it is for others."),
    404: ("There is nothing here", "The address is wrong, or what it named is not yours to see."),
    405: ("There is nothing here", "The address is right, but not for this."),
    413: ("That is too large", "Send less at once."),
    429: ("Too fast", "Wait a moment, then try again."),
    503: ("Not just now", "A part that this page needs is down. What you wrote is kept; try again in a moment."),
}


def register(app: Flask) -> None:
    """Put the pages on the application; each module adds its own to the one blueprint."""
    for module in (people, preferences, letters, service, administration, portal, worker):
        assert module.web is pages.web
    app.register_blueprint(pages.web)


def error_page(status: int, message: str) -> Response:
    """Say on a page what went wrong."""
    heading, sentence = SENTENCES.get(status, ("Something went wrong here", message or "It was not your doing."))
    return protect(page("pages/error.html", status=status, heading=heading, sentence=sentence))
