"""Lists for PostgreSQL, each as one text: the driver and the server take a list apart value by value, and slowly."""

from __future__ import annotations

from collections.abc import Iterable


def array(values: Iterable[object]) -> str:
    """Write ids, numbers and booleans as an array; anything else may have characters that mean something there."""
    return "{" + ",".join("NULL" if value is None else str(value) for value in values) + "}"
