"""Who acts: the one shape that every credential is turned into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

ActorKind = Literal["user", "customer", "bot", "system"]
Role = Literal["member", "staff", "admin"]


@dataclass(frozen=True, slots=True)
class Actor:
    """A principal behind a request, found from its credential only.

    ``session_id`` names the session that vouched for it, so that a revocation can end exactly what hangs on it.
    ``browse`` is true where the credential is a cookie (such callers owe a CSRF token).
    """

    id: UUID
    kind: ActorKind
    role: Role = "member"
    username: str | None = None
    display_name: str = ""
    avatar_url: str | None = None
    session_id: UUID | None = None
    browse: bool = False

    @property
    def is_staff(self) -> bool:
        """Tell whether the actor answers customers: staff or admin."""
        return self.kind == "user" and self.role in ("staff", "admin")

    @property
    def is_system(self) -> bool:
        """Tell whether this is Parley itself, which no credential can become."""
        return self.kind == "system"

    @property
    def room(self) -> str:
        """Give the Socket.IO room that all of this actor's sockets are in."""
        return f"customer:{self.id}" if self.kind == "customer" else f"user:{self.id}"


SYSTEM = Actor(id=UUID(int=0), kind="system", display_name="Parley")
