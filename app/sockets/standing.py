"""How long a socket stands: as long as the credential it came with, and no longer.

An access token is a session's and lives minutes; its socket lives as long as the session, which every refresh extends.
A page's socket lives as long as its cookie's session, a customer's until the portal token's ``expiresAt``.
"""

from __future__ import annotations

import logging
import threading

from app.domain import trust
from app.kernel import clock
from app.kernel.errors import DomainError, Unauthenticated
from app.sockets import registry, rooms
from app.sockets.registry import Connection

log = logging.getLogger(__name__)
LOOK_EVERY_S = 0.5


def confirm(connection: Connection, *, since: int | None = None) -> bool:
    """Ask for a socket's credential: note until when it holds and who its actor is by now, or cut the socket. What was
    read at the door, ``since`` when (``trust.forgets``) this process has heard of no end, is not asked again.

    Tells whether it stands; raises Unavailable where that cannot be asked.
    """
    try:
        known = trust.behind(connection.actor, since=since)
    except Unauthenticated:
        rooms.cut(connection)
        return False
    connection.actor, connection.expires_at = known.actor, known.expires_at
    return True


def run(stopping: threading.Event) -> None:
    """Cut the sockets whose credential ends, until told to stop."""
    while not stopping.wait(LOOK_EVERY_S):
        now = clock.now()
        for connection in registry.everyone():
            if connection.expires_at is not None and connection.expires_at <= now:
                _end(connection)


def _end(connection: Connection) -> None:
    try:
        confirm(connection)
    except DomainError:
        pass  # it cannot be asked whether the session was extended: asked again at the next look
    except Exception:
        log.exception("a socket whose credential ends could not be looked at; it is tried again")
