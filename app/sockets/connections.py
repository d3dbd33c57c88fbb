"""Connecting, and what a notice does to the sockets that are here."""

from __future__ import annotations

import logging
import threading
import time
from http.cookies import CookieError, SimpleCookie
from typing import Any
from uuid import UUID

import socketio
from socketio.exceptions import ConnectionRefusedError as ConnectionRefused

from app.domain import delivery, heads, presence, relay, sessions, typing
from app.domain.delivery import Standing
from app.extensions import socketio as flask_socketio
from app.kernel import clock, limits
from app.kernel.actor import Actor
from app.kernel.errors import DomainError, NotFound, RateLimited, Unauthenticated
from app.kernel.ids import parse_id
from app.kernel.settings import settings
from app.sockets import registry
from app.sockets.registry import Connection

log = logging.getLogger(__name__)
COOKIE = "parley_session"
# The library hands a client's own "connect" and "disconnect" events to the same handlers: taken for real ones they would
# let a socket stay in its rooms under another identity, or under none that a revocation could find.
UNKNOWN = {"ok": False, "error": NotFound("The event").wire()}
RECHECK_LOOK_S = 0.1
_recheck_due, _heads_due = threading.Event(), threading.Event()
OF_A_CONVERSATION = ("conversation", "receipts", "typing", "presence")


def register(server: socketio.Server) -> None:
    """Put the connection handlers on the server."""
    server.on("connect", _connect)
    server.on("disconnect", _disconnect)


def _server() -> socketio.Server:
    return flask_socketio.server


def _connect(sid: str, environ: dict[str, Any], auth: Any = None) -> dict[str, Any] | None:
    """Let a socket in. Any failure refuses: an error that got away here would leave the client connected."""
    if registry.get(sid) is not None:
        return UNKNOWN
    try:
        actor = authenticate(environ, auth)
        _check_room_for(actor, environ.get("REMOTE_ADDR", ""))
    except DomainError as refusal:
        raise _refused(refusal) from refusal
    except Exception as error:
        log.exception("a connection could not be checked")
        raise _refused(Unauthenticated()) from error
    connection = Connection(sid, actor, environ.get("REMOTE_ADDR", ""))
    registry.add(connection)
    _server().start_background_task(_welcome, connection)
    return None


def _check_room_for(actor: Actor, address: str) -> None:
    """Refuse one more socket than a person or an address may have on this process; raises RateLimited."""
    if len(registry.of_profile(actor.id)) >= settings().connections_per_user:
        raise RateLimited(30, "Too many connections of one person.")
    if registry.from_address(address) >= settings().connections_per_address:
        raise RateLimited(30, "Too many connections from one address.")


def authenticate(environ: dict[str, Any], auth: Any) -> Actor:
    """Find who connects: a token in ``auth``, else the page's cookie with its CSRF token. Raises Unauthenticated."""
    given = auth if isinstance(auth, dict) else {}
    token = given.get("token")
    if token is not None:
        if not isinstance(token, str):
            raise Unauthenticated
        return sessions.actor_of_token(token)
    actor = sessions.actor_of_cookie(_cookie(environ))
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


def _welcome(connection: Connection) -> None:
    """Join the conversations, then say where they stand. Runs once the client has been told that it is connected."""
    try:
        if _is_connected(connection.sid):
            _server().emit("ready", _joined(connection), to=connection.sid, namespace="/", ignore_queue=True)
            presence.connected(connection.actor, device=connection.sid, now=clock.now())
    except DomainError as refusal:
        log.warning("a socket could not be welcomed: %s", refusal)
        _server().disconnect(connection.sid, ignore_queue=True)
    except Exception:
        log.exception("a socket could not be welcomed")
        _server().disconnect(connection.sid, ignore_queue=True)


def _is_connected(sid: str) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and registry.get(sid) is not None:
        if _server().manager.is_connected(sid, "/"):
            return True
        _server().sleep(0.002)
    return False


def _joined(connection: Connection) -> dict[str, Any]:
    _enter(connection, connection.actor.room)
    _enter(connection, f"user:{connection.actor.id}")  # what is meant for a member, whatever its kind
    standings = _settle(connection)
    shown = heads.freshened(standings[: limits.READY_MAX])  # after the join: what came before it is in these
    return {
        "actor": describe(connection.actor),
        "serverTime": clock.wire(clock.now()),
        "conversations": [standing.wire() for standing in shown],
        "hasMore": len(standings) > limits.READY_MAX,
        "headsSeconds": limits.HEADS_EVERY_S,
    }


def _settle(connection: Connection) -> list[Standing]:
    """Join what the actor belongs to and leave the rest; read again where a change was heard of meanwhile."""
    while True:
        before = registry.changes(connection.actor.id)
        standings = delivery.standings(connection.actor)
        for standing in standings:
            _join(connection, standing.conversation_id, standing.history_from_seq)
        _leave_all_but(connection, {standing.conversation_id for standing in standings})
        if registry.changes(connection.actor.id) == before:
            return standings


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
    if _server().manager.is_connected(sid, "/"):
        return UNKNOWN
    connection = registry.drop(sid)
    presence.disconnected(device=sid)
    if connection is not None and not registry.of_profile(connection.actor.id):
        typing.stop_all(connection.actor.id)
    return None


def sids_of(event: dict[str, Any]) -> list[str]:
    """List the sockets here of the person that an event is about."""
    profile_id = parse_id(event.get("userId") or event.get("customerId"))
    return [connection.sid for connection in registry.of_profile(profile_id)] if profile_id else []


# rooms ----------------------------------------------------------------------------------------------------------------
def _enter(connection: Connection, room: str) -> None:
    _server().manager.enter_room(connection.sid, "/", room)


def _join(connection: Connection, conversation_id: UUID, history_from_seq: int) -> None:
    registry.entered(connection, conversation_id, history_from_seq)
    room = f"conversation:{conversation_id}"
    connection.channels.add(room)
    _enter(connection, room)


def _leave(connection: Connection, conversation_id: UUID) -> None:
    registry.left(connection, conversation_id)
    for kind in OF_A_CONVERSATION:
        room = f"{kind}:{conversation_id}"
        connection.channels.discard(room)
        _server().manager.leave_room(connection.sid, "/", room)


def _leave_all_but(connection: Connection, kept: set[UUID]) -> None:
    for conversation_id in set(connection.memberships) - kept:
        _leave(connection, conversation_id)


# notices --------------------------------------------------------------------------------------------------------------
def on_notice(notice: dict[str, Any]) -> None:
    """Carry out on the sockets of this process what another one made true."""
    kind = notice.get("kind")
    if kind == "session":
        session_id = parse_id(notice["sessionId"])
        for connection in registry.of_session(session_id) if session_id else []:
            _cut(connection)
    elif kind == "member":
        for profile in notice["profileIds"]:
            _membership_changed(UUID(profile), UUID(notice["conversationId"]), ended=notice["ended"])


def _membership_changed(profile_id: UUID, conversation_id: UUID, *, ended: bool) -> None:
    registry.note_change(profile_id)
    connections = registry.of_profile(profile_id)
    if ended:
        for connection in connections:
            _leave(connection, conversation_id)
    elif connections:
        history_from_seq = heads.history_from(profile_id, conversation_id)
        for connection in connections if history_from_seq is not None else []:
            _join(connection, conversation_id, history_from_seq or 0)


def recheck_soon() -> None:
    """Have all memberships and sessions read anew: this process has been deaf to notices for a while."""
    _recheck_due.set()


def tell_heads_soon() -> None:
    """Have every socket told where its conversations stand: emits of other processes may have been missed."""
    _heads_due.set()


def run_rechecks(stopping: threading.Event) -> None:
    """Do what is due, and again until it succeeds: the database may be away just then."""
    while not stopping.wait(RECHECK_LOOK_S):
        try:
            if _recheck_due.is_set():
                recheck_all()
                _recheck_due.clear()
            if _heads_due.is_set():
                tell_all_heads()
                _heads_due.clear()
        except DomainError:
            pass  # the next turn
        except Exception:
            log.exception("a recheck failed; it is tried again")


def recheck_all() -> None:
    """Read all memberships and sessions anew; raises Unavailable."""
    sessions.forget()
    for connection in registry.everyone():
        try:
            sessions.check(connection.actor)
            _settle(connection)
        except Unauthenticated:
            _cut(connection)
    tell_all_heads()


def tell_all_heads() -> None:
    """Tell every socket here where its conversations stand: emits of other processes may have been missed."""
    ids = {conversation_id for connection in registry.everyone() for conversation_id in connection.memberships}
    if ids:
        relay.tell_heads(ids)


def _cut(connection: Connection) -> None:
    _server().disconnect(connection.sid, ignore_queue=True)


def say_goodbye() -> None:
    """Tell each client of this process when to come back: each its own moment, so that they do not come all at once."""
    everyone = registry.everyone()
    spread_ms = min(10_000, 200 + 4 * len(everyone))
    for number, connection in enumerate(everyone):
        after = 100 + spread_ms * number // max(1, len(everyone))
        body = {"kind": "restart", "message": "This server restarts.", "reconnectAfterMs": after}
        _server().emit("system", body, to=connection.sid, namespace="/", ignore_queue=True)


def close_all() -> None:
    """Cut every socket of this process; the clients come back, here or elsewhere, and catch up."""
    for connection in registry.everyone():
        _cut(connection)
