"""Connecting, being welcomed, and leaving."""

from __future__ import annotations

import logging
import time
from http.cookies import CookieError, SimpleCookie
from typing import Any

import socketio
from socketio.exceptions import ConnectionRefusedError as ConnectionRefused

from app.domain import condition, heads, presence, sessions, trust, typing
from app.domain.arrivals import Arrival
from app.domain.delivery import Standing
from app.kernel import clock, limits, logs
from app.kernel.actor import Actor
from app.kernel.errors import DomainError, NotFound, RateLimited, Unauthenticated, Unavailable
from app.kernel.settings import settings
from app.outbound import emits, metrics
from app.sockets import registry, rooms, standing
from app.sockets.registry import Connection

log = logging.getLogger(__name__)
COOKIE = "parley_session"
# The library hands a client's own "connect" and "disconnect" events to the same handlers: taken for real ones they would
# let a socket stay in its rooms under another identity, or under none that a revocation could find.
UNKNOWN = {"ok": False, "error": NotFound("The event").wire()}


def register(server: socketio.Server) -> None:
    """Put the connection handlers on the server."""
    server.on("connect", _connect)
    server.on("disconnect", _disconnect)


def _connect(sid: str, environ: dict[str, Any], auth: Any = None) -> dict[str, Any] | None:
    """Let a socket in. Any failure refuses: an error that got away here would leave the client connected."""
    if registry.get(sid) is not None:
        return UNKNOWN
    arrival, heard, ended = Arrival(), registry.changes_of_anyone(), trust.forgets()
    logs.begin()
    try:
        actor = authenticate(environ, auth, arrival)
        _check_room_for(actor, environ.get("REMOTE_ADDR", ""))
        found = arrival.standings(actor)
    except DomainError as refusal:
        raise _refused(refusal) from refusal
    except Exception as error:
        log.exception("a connection could not be checked")
        raise _refused(Unavailable()) from error  # not "unauthenticated": a client gives up its credential on that
    connection = Connection(sid, actor, environ.get("REMOTE_ADDR", ""))
    registry.add(connection)
    metrics.connected(1)
    rooms.server().start_background_task(_welcome, connection, found, heard, ended)
    return None


def _check_room_for(actor: Actor, address: str) -> None:
    """Refuse one more socket than a person or an address may have on this process; raises RateLimited."""
    if len(registry.of_profile(actor.id)) >= settings().connections_per_user:
        raise RateLimited(30, "Too many connections of one person.")
    if registry.from_address(address) >= settings().connections_per_address:
        raise RateLimited(30, "Too many connections from one address.")


def authenticate(environ: dict[str, Any], auth: Any, arrival: Arrival) -> Actor:
    """Find who connects: a token in ``auth``, else the page's cookie with its CSRF token. Raises Unauthenticated."""
    given = auth if isinstance(auth, dict) else {}
    token = given.get("token")
    if token is not None:
        if not isinstance(token, str):
            raise Unauthenticated
        return sessions.actor_of_token(token, session=arrival.session)
    actor = sessions.actor_of_cookie(_cookie(environ), session=arrival.session)
    if not sessions.csrf_matches(actor, given.get("csrfToken")):
        raise Unauthenticated("A page's socket needs its CSRF token.")
    return actor


def _cookie(environ: dict[str, Any]) -> str:
    try:
        found = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(COOKIE)
    except CookieError as error:
        raise Unauthenticated from error
    if found is None:
        raise Unauthenticated
    return found.value


def _refused(refusal: DomainError) -> ConnectionRefused:
    error = ConnectionRefused(refusal.message)
    error.error_args = {"message": refusal.message, "code": refusal.code, "data": refusal.wire()}
    return error


def _welcome(connection: Connection, found: list[Standing], heard: int, ended: int) -> None:
    """Join the conversations, then say where they stand. Runs once the client has been told that it is connected.

    ``found`` was read at the door, when ``heard`` changes of memberships and ``ended`` credentials had been heard of.
    """
    try:
        if _is_connected(connection.sid) and standing.confirm(connection, since=ended):
            rooms.server().emit(
                "ready", _joined(connection, found, heard), to=connection.sid, namespace="/", ignore_queue=True
            )
            condition.tell(connection.sid)
            presence.connected(
                connection.actor, device=connection.sid, now=clock.now(), rooms=list(connection.memberships)
            )
    except DomainError as refusal:
        log.warning("a socket could not be welcomed: %s", refusal)
        rooms.server().disconnect(connection.sid, ignore_queue=True)
    except Exception:
        log.exception("a socket could not be welcomed")
        rooms.server().disconnect(connection.sid, ignore_queue=True)


def _is_connected(sid: str) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and registry.get(sid) is not None:
        if rooms.server().manager.is_connected(sid, "/"):
            return True
        rooms.server().sleep(0.002)
    return False


def _joined(connection: Connection, found: list[Standing], heard: int) -> dict[str, Any]:
    rooms.enter(connection, connection.actor.room)
    rooms.enter(connection, f"user:{connection.actor.id}")  # what is meant for a member, whatever its kind
    standings = rooms.settle(connection, found if registry.changes_of_anyone() == heard else None)
    rooms.until_heard()
    shown = heads.freshened(standings[: limits.READY_MAX])  # after the join: what came before it is in these
    return {
        "actor": describe(connection.actor),
        "serverTime": clock.wire(clock.now()),
        "conversations": [standing.wire() for standing in shown],
        "hasMore": len(standings) > limits.READY_MAX,
        "headsSeconds": limits.HEADS_EVERY_S,
    }


def describe(actor: Actor) -> dict[str, Any]:
    """Tell a client who it is."""
    return {
        "id": str(actor.id),
        "kind": actor.kind,
        "role": actor.role,
        "username": actor.username,
        "displayName": actor.display_name,
        "avatarUrl": actor.avatar_url,
    }


def _disconnect(sid: str, *_: Any) -> dict[str, Any] | None:
    if rooms.server().manager.is_connected(sid, "/"):
        return UNKNOWN
    connection = registry.drop(sid)
    presence.disconnected(device=sid)
    if connection is not None:
        metrics.connected(-1)
    typing.stop_on(sid)
    return None


def say_goodbye() -> None:
    """Tell each client of this process when to come back: each its own moment, so that they do not come all at once."""
    everyone = registry.everyone()
    for connection, after in zip(everyone, moments_ms(len(everyone)), strict=True):
        body = {"kind": "restart", "message": "This server restarts.", "reconnectAfterMs": after}
        rooms.server().emit("system", body, to=connection.sid, namespace="/", ignore_queue=True)
    emits.ending()


def moments_ms(count: int) -> list[int]:
    """Spread the return of this many evenly, over the longer the more they are, from 100 ms on and for 10 s at most."""
    spread_ms = min(10_000, 200 + 4 * count)
    return [100 + spread_ms * number // count for number in range(count)]


def close_all() -> None:
    """Cut every socket of this process; the clients come back, here or elsewhere, and catch up."""
    for connection in registry.everyone():
        rooms.cut(connection)
