"""The refusals of the public contract (protocol section 2): one class a code.

A transport turns any of them into its own envelope by ``DomainError.wire``; nothing else makes error bodies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Fields = Mapping[str, list[str]]
FIELDS_SHOWN = 50
NAME_SHOWN = 100


class DomainError(Exception):
    """A refusal with a reason. ``fields`` maps a wire field name to sentences; ``retry_after`` is in seconds."""

    code = "error"
    status = 500
    temporary = False

    def __init__(self, message: str, *, fields: Fields | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields
        self.retry_after = retry_after

    def wire(self) -> dict[str, Any]:
        """Give the ``error`` object of the contract, without the transport's own members."""
        body: dict[str, Any] = {"code": self.code, "message": self.message, "temporary": self.temporary}
        if self.fields:
            body["fields"] = dict(self.fields)
        if self.retry_after is not None:
            body["retryAfter"] = self.retry_after
        return body


class Malformed(DomainError):
    """Not JSON, or not of the content type that the call takes."""

    code, status = "malformed", 400


class Unauthenticated(DomainError):
    """No credential, or one that is expired or revoked."""

    code, status = "unauthenticated", 401

    def __init__(self, message: str = "A valid credential is required.") -> None:
        super().__init__(message)


class Forbidden(DomainError):
    """The actor may see the thing but may not do this to it."""

    code, status = "forbidden", 403


class NotFound(DomainError):
    """Absent, or hidden from this actor; which of the two is never told."""

    code, status = "not_found", 404

    def __init__(self, noun: str = "The resource") -> None:
        super().__init__(f"{noun} was not found.")


class Conflict(DomainError):
    """A name is taken, or the state has moved on."""

    code, status = "conflict", 409


class OutOfOrder(DomainError):
    """The send named as the previous one is not known here: the client resends from there."""

    code, status, temporary = "out_of_order", 409, True

    def __init__(self) -> None:
        super().__init__(
            "The message named in afterClientMessageId has not arrived; resend from there.",
            fields={"afterClientMessageId": ["This earlier message has not arrived."]},
        )


class TooLarge(DomainError):
    """A body or an upload over its limit."""

    code, status = "too_large", 413


class Invalid(DomainError):
    """A field is wrong; ``fields`` says which and how."""

    code, status = "invalid", 422

    def __init__(self, fields: Fields) -> None:
        shown = {_printable(name): why for name, why in list(fields.items())[:FIELDS_SHOWN]}
        super().__init__("; ".join(f"{name}: {' '.join(why)}" for name, why in shown.items()), fields=shown)


class RateLimited(DomainError):
    """Too many of these in too short a time."""

    code, status, temporary = "rate_limited", 429, True

    def __init__(self, retry_after_s: float, message: str = "Too many requests; slow down.") -> None:
        super().__init__(message, retry_after=max(0.001, round(retry_after_s, 3)))


class Unavailable(DomainError):
    """A part that this needs is down; the same request may succeed later."""

    code, status, temporary = "unavailable", 503, True

    def __init__(
        self,
        message: str = "A needed part is not available just now.",
        *,
        retry_after_s: float = 1,
        fields: Fields | None = None,
    ) -> None:
        super().__init__(message, retry_after=retry_after_s, fields=fields)


class Held(Unavailable):
    """Somebody else holds a row that this needs, for longer than it could wait."""

    def __init__(self) -> None:
        super().__init__("Something else is being done to this just now; try again.")


def _printable(name: str) -> str:
    """Make a field's name fit to answer with: it may be the client's own, of any length and with lone surrogates."""
    return name[:NAME_SHOWN].encode(errors="replace").decode()
