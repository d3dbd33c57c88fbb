"""JSON in and out, fast, with the standard library's reading where the fast one cannot say what is wrong."""

from __future__ import annotations

import json
from typing import Any

import orjson


def dumps(value: Any, **_: Any) -> str:
    """Write JSON text."""
    return orjson.dumps(value).decode()


def dump_bytes(value: Any) -> bytes:
    """Write JSON as the bytes that go over the wire."""
    return orjson.dumps(value)


def ready(encoded: bytes) -> Any:
    """Give what ``dumps`` writes as it is, inside of something else."""
    return orjson.Fragment(encoded)


def loads(source: str | bytes, **_: Any) -> Any:
    """Read JSON; a lone surrogate is let through (the wire models refuse it by name). Raises ValueError."""
    try:
        return orjson.loads(source)
    except orjson.JSONDecodeError:
        try:
            return json.loads(source, parse_constant=_refuse)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
