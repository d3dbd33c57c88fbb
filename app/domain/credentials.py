"""What a session's credentials look like: signed or sealed under the secret key, none of them stored."""

from __future__ import annotations

import base64
import hmac
import time
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

import jwt
from jwt.algorithms import HMACAlgorithm

from app.kernel import ids
from app.kernel.errors import Unauthenticated
from app.kernel.settings import settings

BOT_PREFIX = "bot_"


class OneKey(HMACAlgorithm):
    """HS256, for one who has the same key each time: the library looks anew whether it may be another's public key.

    That is two fifths of what reading a token takes, and after a restart everybody's is read at the same moment.
    """

    def __init__(self) -> None:
        super().__init__(HMACAlgorithm.SHA256)
        self.prepare_key = lru_cache(maxsize=8)(super().prepare_key)  # type: ignore[method-assign]


jwt.unregister_algorithm("HS256")
jwt.register_algorithm("HS256", OneKey())


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in hands out; ``expires_in`` is in seconds and of the access token."""

    access_token: str
    refresh_token: str
    expires_in: int


def issue(session_id: UUID, profile_id: UUID, nonce: bytes, generation: int) -> Tokens:
    """Make a generation's tokens; the same each time, but for the access token's age."""
    lifetime = settings().access_token_ttl_s
    issued = int(time.time())
    claims = {"sub": str(profile_id), "sid": str(session_id), "iat": issued, "exp": issued + lifetime}
    access = jwt.encode(claims, settings().secret_key, algorithm="HS256")
    return Tokens(access, _refresh_token(session_id, nonce, generation), lifetime)


def _refresh_token(session_id: UUID, nonce: bytes, generation: int) -> str:
    return f"rt_{session_id}.{generation}.{seal('refresh', session_id, nonce, str(generation))}"


def parts(refresh_token: str) -> tuple[UUID, int, str]:
    """Read a refresh token: (session, generation, seal); raises Unauthenticated."""
    name, _, rest = refresh_token.removeprefix("rt_").partition(".")
    number, _, sealed = rest.partition(".")
    session_id = ids.parse_id(name)
    if (
        not refresh_token.startswith("rt_")
        or session_id is None
        or not (number.isascii() and number.isdigit() and len(number) < 10)
    ):
        raise Unauthenticated
    return session_id, int(number), sealed


def is_sealed(session_id: UUID, nonce: bytes, generation: int, sealed: str) -> bool:
    """Tell whether a refresh token is one that this server gave."""
    return hmac.compare_digest(sealed.encode(), seal("refresh", session_id, nonce, str(generation)).encode())


def seal(purpose: str, session_id: UUID, nonce: bytes, more: str = "") -> str:
    """Give the word that proves that this server made a credential (HMAC-SHA256, RFC 2104)."""
    body = f"{purpose}|{session_id}|{more}|".encode() + nonce
    digest = hmac.new(settings().secret_key.encode(), body, sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
