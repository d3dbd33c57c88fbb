"""``/api/docs``: the description as a page, rendered here, with nothing from elsewhere and no script."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from flask import Response, render_template

from app.api import description
from app.api.endpoint import api

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@api.get("/docs")
def docs() -> Response:
    """Show the description to people."""
    response = Response(_page(), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


@cache
def _page() -> str:
    whole = description.describe()
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in whole["paths"].items():
        for method, operation in operations.items():
            shown = {"method": method.upper(), "path": path, **operation, "answer": _answer(operation)}
            groups.setdefault(path.split("/")[2], []).append(shown)
    return render_template(
        "docs.html", about=whole["info"]["description"], groups=groups, schemas=whole["components"]["schemas"],
        refusals=description.REFUSALS, outline=outline,
    )  # fmt: skip


def _answer(operation: dict[str, Any]) -> dict[str, Any]:
    done = operation["responses"].get("201") or operation["responses"]["200"]
    found: dict[str, Any] = next(iter(done["content"].values()))["schema"]
    data: dict[str, Any] = found.get("properties", {}).get("data", found)
    return data


def outline(schema: dict[str, Any]) -> str:
    """Say in a few words what a schema allows."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "anyOf" in schema:
        return " | ".join(outline(each) for each in schema["anyOf"])
    return _typed(schema)


def _typed(schema: dict[str, Any]) -> str:
    kinds = schema.get("type", "anything")
    words = [_one(kind, schema) for kind in (kinds if isinstance(kinds, list) else [kinds])]
    bounds = [f"{name} {schema[name]}" for name in BOUNDS if name in schema]
    return " | ".join(words) + (f" ({', '.join(bounds)})" if bounds else "")


def _one(kind: str, schema: dict[str, Any]) -> str:
    if kind == "array":
        return f"[{outline(schema.get('items', {}))}]"
    if kind == "object" and "properties" in schema:
        return "{" + ", ".join(schema["properties"]) + "}"
    return str(schema.get("format", kind)) if kind == "string" else kind


BOUNDS = ("minLength", "maxLength", "minimum", "maximum", "exclusiveMaximum", "minItems", "maxItems", "pattern")
