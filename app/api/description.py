"""``/api/openapi.json``, made from the registered calls and the wire models: it cannot drift from them."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import orjson
from flask import Response
from pydantic.json_schema import models_json_schema

from app.api.endpoint import CALLS, COOKIE, Call
from app.api.shapes import ERROR, SHAPES, shape_of

ABOUT = (
    "Self-hosted real-time messaging. Names are camelCase, times UTC ISO 8601 with milliseconds and Z, ids UUIDs; unknown"
    " fields are refused. Lists go on with `?cursor=` and the `nextCursor` of the page before."
)
REFS = "#/components/schemas/{model}"
REFUSALS = {
    "400": "malformed",
    "401": "unauthenticated",
    "403": "forbidden",
    "404": "not_found",
    "409": "conflict or out_of_order",
    "413": "too_large",
    "422": "invalid",
    "429": "rate_limited",
    "503": "unavailable",
}


def response() -> Response:
    """Give the description."""
    return Response(_encoded(), content_type="application/json")


@cache
def _encoded() -> bytes:
    return orjson.dumps(describe())


def describe() -> dict[str, Any]:
    """Describe every call."""
    bodies = sorted({call.body for call in CALLS if call.body is not None}, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in bodies], ref_template=REFS)
    paths: dict[str, dict[str, Any]] = {}
    for call in CALLS:
        path = "/api" + re.sub(r"<(?:path:)?(\w+)>", r"{\1}", call.rule)
        paths.setdefault(path, {})[call.method.lower()] = _operation(call)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Parley", "version": "v1", "description": ABOUT},
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), **SHAPES, "Error": ERROR},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "page": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": COOKIE,
                    "description": "changes need X-CSRF-Token too",
                },
            },
        },
    }


def _operation(call: Call) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{call.verb.__module__.rsplit('.', 1)[-1]}_{call.verb.__name__}",
        "summary": (call.verb.__doc__ or "").strip(),
        "parameters": [*_path_parameters(call), *_query_parameters(call)],
        "responses": _responses(call),
        "security": [] if call.public else [{"bearer": []}, {"page": []}],
    }
    if call.body is not None:
        schema = {"$ref": f"#/components/schemas/{call.body.__name__}"}
        content_type = "multipart/form-data" if call.takes_form else "application/json"
        # A deletion's body may be left out: many clients cannot send one.
        required = call.needs_body
        operation["requestBody"] = {"required": required, "content": {content_type: {"schema": schema}}}
    return operation


def _path_parameters(call: Call) -> list[dict[str, Any]]:
    names = re.findall(r"<(?:path:)?(\w+)>", call.rule)
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", **({"format": "uuid"} if name.endswith("_id") else {"minLength": 1})},
        }
        for name in names
    ]


def _query_parameters(call: Call) -> list[dict[str, Any]]:
    schema = call.query.model_json_schema(by_alias=True, ref_template=REFS)
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", []), "schema": _plain(part)}
        for name, part in schema.get("properties", {}).items()
    ]


def _plain(part: dict[str, Any]) -> dict[str, Any]:
    choices = [choice for choice in part.get("anyOf", []) if choice.get("type") != "null"]
    return choices[0] if choices else {name: value for name, value in part.items() if name != "title"}


def _responses(call: Call) -> dict[str, Any]:
    done = {"200": _answer(call, "Done")}
    if call.data == "File":
        content = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
        done = {"200": {"description": "The file", "content": content}}
        done |= {
            "206": {"description": "A part of it", "content": content},
            "304": {"description": "What you have is it"},
        }
    if call.made:
        done = {"201": _answer(call, "Made"), "200": _answer(call, "It was there already")}
    refusals = {
        status: {
            "description": code,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
        for status, code in REFUSALS.items()
    }
    return {**done, **refusals}


def _answer(call: Call, description: str) -> dict[str, Any]:
    envelope = {
        "type": "object",
        "required": ["success", "version", "timestamp", "data"],
        "properties": {
            "success": {"const": True},
            "version": {"const": "v1"},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": shape_of(call.data),
        },
        "additionalProperties": False,
    }
    return {"description": description, "content": {"application/json": {"schema": envelope}}}
