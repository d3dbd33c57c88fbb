"""Many things, so many at a time (``itertools.batched`` came with Python 3.12)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def chunks(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """Give things in lists of so many; the last may be shorter, and none is empty."""
    rest = iter(things)
    while some := list(islice(rest, size)):
        yield some
