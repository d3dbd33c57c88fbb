"""Which Socket.IO rooms a socket of this process is in, and which events it must not hear there."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from typing import Any
from uuid import UUID

import socketio

from app.domain import channels, delivery, relay
from app.domain.delivery import Standing
from app.extensions import socketio as flask_socketio
from app.kernel.ids import parse_id
from app.sockets import registry
from app.sockets.registry import Connection

SETTLED_WITHIN_S, SETTLED_LOOK_S = 0.5, 0.01
OF_A_CONVERSATION = ("conversation", "receipts", "typing", "presence")


def server() -> socketio.Server:
    """Give the Socket.IO server."""
    return flask_socketio.server


def settle(connection: Connection, found: list[Standing] | None = None) -> list[Standing]:
    """Join what the actor belongs to and leave the rest; read again where a change was heard of meanwhile.

    ``found`` is what was read already, and no change of anybody's was heard of since.
    """
    while True:
        before = registry.changes(connection.actor.id)
        standings, found = delivery.standings(connection.actor) if found is None else found, None
        for standing in standings:
            join(connection, standing.conversation_id, standing.history_from_seq, kind=standing.kind)
        leave_all_but(connection, {standing.conversation_id for standing in standings})
        if registry.changes(connection.actor.id) == before:
            connection.is_settled = True
            return standings


def until_settled(connection: Connection) -> None:
    """Wait until a socket that was just let in knows its conversations: half a second at most, then it is asked for without."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while not connection.is_settled and time.monotonic() < deadline:
        server().sleep(SETTLED_LOOK_S)


def enter(connection: Connection, room: str) -> None:
    """Put a socket into a room."""
    server().manager.enter_room(connection.sid, "/", room)


def until_heard() -> bool:
    """Wait until what other processes emit to the rooms entered here is heard; false where that is told of later."""
    heard: bool = server().manager.ear.until_heard()
    return heard


def when_heard(conversation_ids: Iterable[UUID], then: Callable[[Collection[str]], None]) -> None:
    """Have what is emitted in conversations entered here heard soon; call back with those of which something may be missed."""
    server().manager.ear.when_heard(map(str, conversation_ids), then)


def join(connection: Connection, conversation_id: UUID, history_from_seq: int, *, kind: str) -> None:
    """Put a socket into a conversation, of which it may read what comes after a position."""
    registry.entered(connection, conversation_id, history_from_seq)
    if kind == "support":
        connection.support.add(conversation_id)
    room = f"conversation:{conversation_id}"
    connection.channels.add(room)
    enter(connection, room)


def hold(connection: Connection, channel: str) -> None:
    """Have a socket hear a channel that it may hear. The own messages are those of all its support conversations: it is
    put into their rooms, where it hears each once, whatever else it holds.
    """
    connection.channels.add(channel)
    enter(connection, channel)
    if channel == channels.own_messages(connection.actor):
        for conversation_id in connection.support:
            enter(connection, f"conversation:{conversation_id}")


def let_go(connection: Connection, names: Iterable[str]) -> None:
    """Have a socket hear these channels no more, as far as no other that it holds brings the same."""
    for channel in names:
        if channel in connection.channels:
            connection.channels.discard(channel)
            server().manager.leave_room(connection.sid, "/", channel)
    own = channels.own_messages(connection.actor)
    for conversation_id in connection.support:
        room = f"conversation:{conversation_id}"
        if own in connection.channels:
            enter(connection, room)
        elif room not in connection.channels:
            server().manager.leave_room(connection.sid, "/", room)


def leave(connection: Connection, conversation_id: UUID) -> None:
    """Take a socket out of a conversation and all its channels."""
    registry.left(connection, conversation_id)
    for kind in OF_A_CONVERSATION:
        room = f"{kind}:{conversation_id}"
        connection.channels.discard(room)
        server().manager.leave_room(connection.sid, "/", room)


def leave_all_but(connection: Connection, kept: set[UUID]) -> None:
    """Take a socket out of the conversations that it is no longer in."""
    for conversation_id in set(connection.memberships) - kept:
        leave(connection, conversation_id)


def cut(connection: Connection) -> None:
    """End a socket; its client comes back, here or elsewhere, if it may."""
    server().disconnect(connection.sid, ignore_queue=True)


def tell_all_heads() -> None:
    """Tell every socket here where its conversations stand: emits of other processes may have been missed."""
    if ids := _all_conversations():
        relay.tell_heads(ids)


def fetch_all() -> None:
    """Deliver what moved lately and was not heard of: the emits of other processes do not come here just now."""
    if ids := _all_conversations():
        relay.fetch(ids)


def _all_conversations() -> set[UUID]:
    return {conversation_id for connection in registry.everyone() for conversation_id in connection.memberships}


def sids_not_meant(name: str, body: Any) -> list[str]:
    """List the sockets here that are in an event's room and must not hear it.

    A typist does not hear the own typing; one who joined a group does not hear of what was written before.
    """
    if name == "typing":
        return sids_of(body)
    if name in ("message", "message:changed"):
        return registry.too_new_for(body["conversationId"], body["seq"]) if body["seq"] else []
    return []


def sids_of(event: dict[str, Any]) -> list[str]:
    """List the sockets here of the person that an event is about."""
    profile_id = parse_id(event.get("userId") or event.get("customerId"))
    return [connection.sid for connection in registry.of_profile(profile_id)] if profile_id else []
