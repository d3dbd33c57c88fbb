"""The words of letters: a text and an HTML template each, in ``templates/``."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from app.kernel.settings import settings


def words(letter: str, **values: Any) -> tuple[str, str]:
    """Fill a letter's templates; gives (text, HTML)."""
    known = {"site": settings().public_url, **values}
    return (
        _templates().get_template(f"{letter}.txt").render(known).strip() + "\n",
        _templates().get_template(f"{letter}.html").render(known),
    )


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("app.outbound"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
