"""Lists for PostgreSQL, each as one text: the driver and the server take a list apart value by value, and slowly."""

from __future__ import annotations

from collections.abc import Iterable

import orjson


def array(values: Iterable[object]) -> str:
    """Write ids, numbers and booleans as an array; anything else may have characters that mean something there."""
    return "{" + ",".join("NULL" if value is None else str(value) for value in values) + "}"


def texts(values: Iterable[object]) -> str:
    """Write anything as a JSON array, for ``json_array_elements_text``."""
    return orjson.dumps(list(values)).decode()
