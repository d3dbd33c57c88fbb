"""Instants: aware, UTC, to the millisecond on the wire."""

from __future__ import annotations

from datetime import datetime, timezone

UTC = timezone.utc  # datetime.UTC came with Python 3.11


def now() -> datetime:
    """Read the clock; only the edges (transports, jobs) call this."""
    return datetime.now(UTC)


def wire(instant: datetime) -> str:
    """Write an instant as the contract does: ``2026-11-21T03:14:15.926Z``."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def parse(text: str) -> datetime:
    """Read what ``wire`` wrote."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
