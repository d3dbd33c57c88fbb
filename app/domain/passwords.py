"""Passwords: argon2id (RFC 9106), computed off the event loop and only a few at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.extensions import offload
from app.kernel.errors import Invalid, Unavailable

T = TypeVar("T")
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's minimum for argon2id
AT_ONCE = 2
WAIT_S = 8
_turn = threading.BoundedSemaphore(AT_ONCE)


def digest(password: str) -> str:
    """Hash a password; raises Unavailable where too many wait."""
    return _bounded(HASHER.hash, password)


def matches(digested: str | None, password: str) -> bool:
    """Check a password. Without a hash to check against it takes the same time and says no."""
    return _bounded(_verify, digested or _decoy(), password) and digested is not None


def check_strength(password: str, *, field: str = "password") -> None:
    """Refuse a commonly used password; raises Invalid."""
    if password.lower() in _common():
        raise Invalid({field: ["is a commonly used password"]})


def _verify(digested: str, password: str) -> bool:
    try:
        return HASHER.verify(digested, password)
    except (VerificationError, InvalidHashError):
        return False


def _bounded(call: Callable[..., T], *arguments: str) -> T:
    if not _turn.acquire(timeout=WAIT_S):
        raise Unavailable("Too many sign-ins at once.", retry_after_s=2)
    try:
        return offload(call, *arguments)
    finally:
        _turn.release()


@cache
def _decoy() -> str:
    return HASHER.hash("nobody has this password")


@cache
def _common() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 -- 30,000 words, loaded when first asked

    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= 10) | _OBVIOUS


_OBVIOUS = frozenset(
    {"1234567890", "12345678910", "0123456789", "qwertyuiop", "password123", "password1234", "passwordpassword"}
)
