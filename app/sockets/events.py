"""The client events of protocol section 5: a table of name, request model and handler; one wrapper acks them all."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import socketio

from app.domain import changes, channels, delivery, messages, presence, reading, typing
from app.kernel import clock, json, limits, logs, requests as wire
from app.kernel.errors import DomainError, Invalid, NotFound, Unauthenticated
from app.outbound import metrics
from app.sockets import registry, rooms
from app.sockets.registry import Connection

log = logging.getLogger(__name__)
Handler = Callable[[Connection, Any], dict[str, Any]]


class Event(NamedTuple):
    """A client event: what its payload is, and what it does."""

    model: type[wire.Request]
    handler: Handler


def register(server: socketio.Server) -> None:
    """Put the events on the server; an unknown one is refused in the ack, not swallowed."""
    for name, event in EVENTS.items():
        server.on(name, _acked(event))
    server.on("*", _unknown)


def _acked(event: Event) -> Callable[..., dict[str, Any]]:
    def handle(sid: str, *payload: Any) -> dict[str, Any]:
        name = logs.begin()
        try:
            connection = registry.get(sid)
            if connection is None:
                raise Unauthenticated
            if len(payload) > 1:
                raise Invalid({"body": ["must be one object"]})
            return {
                "ok": True,
                "data": event.handler(connection, wire.parse(event.model, payload[0] if payload else {})),
            }
        except DomainError as refusal:
            metrics.error("socket", refusal.code)
            return {"ok": False, "error": refusal.wire()}
        except Exception:
            metrics.error("socket", "internal")
            log.exception("an event failed")
            return {
                "ok": False,
                "error": {
                    "code": "internal",
                    "message": "Something went wrong here.",
                    "temporary": True,
                    "requestId": name,
                },
            }

    return handle


def _unknown(*_: Any) -> dict[str, Any]:
    return {"ok": False, "error": NotFound("The event").wire()}


def _send(connection: Connection, request: wire.SendMessage) -> dict[str, Any]:
    sent = messages.send(connection.actor, request=request, now=clock.now())
    return {"message": sent.message if sent.encoded is None else json.ready(sent.encoded)}


def _edit(connection: Connection, request: wire.SocketEdit) -> dict[str, Any]:
    event = changes.edit(connection.actor, message_id=request.message_id, content=request.content, now=clock.now())
    return {"message": event}


def _delete(connection: Connection, request: wire.SocketDelete) -> dict[str, Any]:
    return {"message": changes.delete(connection.actor, message_id=request.message_id, now=clock.now())}


def _react(connection: Connection, request: wire.SocketReaction) -> dict[str, Any]:
    event = changes.react(connection.actor, message_id=request.message_id, emoji=request.emoji, now=clock.now())
    return {"message": event}


def _unreact(connection: Connection, request: wire.SocketReaction) -> dict[str, Any]:
    return {"message": changes.unreact(connection.actor, message_id=request.message_id, emoji=request.emoji)}


def _received(connection: Connection, request: wire.SocketReceived) -> dict[str, Any]:
    held = delivery.received(
        connection.actor,
        conversation_id=request.conversation_id,
        now=clock.now(),
        message_id=request.message_id,
        seq=request.seq,
    )
    return {"receivedSeq": held}


def _read(connection: Connection, request: wire.MarkRead) -> dict[str, Any]:
    return reading.mark_read(
        connection.actor,
        now=clock.now(),
        message_ids=request.message_ids or (),
        conversation_id=request.conversation_id,
        message_id=request.message_id,
    )


def _unread(connection: Connection, request: wire.MarkUnread) -> dict[str, Any]:
    return reading.mark_unread(
        connection.actor, conversation_id=request.conversation_id, now=clock.now(), message_id=request.message_id
    )


def _typing(connection: Connection, request: wire.Typing) -> dict[str, Any]:
    return typing.indicate(
        connection.actor,
        conversation_id=request.conversation_id,
        is_typing=request.is_typing,
        now=clock.now(),
        is_member=request.conversation_id in connection.memberships,
        device=connection.sid,
    )


def _presence(connection: Connection, request: wire.Presence) -> dict[str, Any]:
    status = presence.declare(
        connection.actor, device=connection.sid, status=request.status, metadata=request.metadata, now=clock.now()
    )
    return {"status": status}


def _sync(connection: Connection, request: wire.Sync) -> dict[str, Any]:
    rooms.until_settled(connection)  # one who asks before the welcome would cost the database what the cache knows
    history_from = connection.memberships.get(request.conversation_id)
    known = delivery.KnownMember(history_from) if history_from is not None else None
    return dict(
        delivery.catch_up(
            connection.actor,
            conversation_id=request.conversation_id,
            after=request.after,
            limit=request.limit or limits.PAGE_MAX,
            known=known,
            encoded=True,
        )
    )


def _subscribe(connection: Connection, request: wire.Subscribe) -> dict[str, Any]:
    for channel in request.channels:
        _authorise(connection, channel)
        rooms.hold(connection, channel)
    rooms.until_heard()
    return {"channels": sorted(connection.channels)}


def _authorise(connection: Connection, channel: str) -> None:
    """Ask whether a socket may listen, again where an eviction was heard of meanwhile; one heard of later takes it out.

    One that hears a conversation's messages may hear the rest: when many come back at once, that spares a query for each
    channel of each.
    """
    if channels.conversation_of(channel) in connection.memberships:
        return
    while True:
        before = registry.changes(connection.actor.id)
        channels.authorise(connection.actor, channel=channel)
        if registry.changes(connection.actor.id) == before:
            return


def _unsubscribe(connection: Connection, request: wire.Subscribe) -> dict[str, Any]:
    rooms.let_go(connection, request.channels)
    return {"channels": sorted(connection.channels)}


EVENTS = {
    "subscribe": Event(wire.Subscribe, _subscribe),
    "unsubscribe": Event(wire.Subscribe, _unsubscribe),
    "message:send": Event(wire.SendMessage, _send),
    "message:edit": Event(wire.SocketEdit, _edit),
    "message:delete": Event(wire.SocketDelete, _delete),
    "reaction:add": Event(wire.SocketReaction, _react),
    "reaction:remove": Event(wire.SocketReaction, _unreact),
    "message:received": Event(wire.SocketReceived, _received),
    "message:read": Event(wire.MarkRead, _read),
    "message:unread": Event(wire.MarkUnread, _unread),
    "typing": Event(wire.Typing, _typing),
    "presence": Event(wire.Presence, _presence),
    "sync": Event(wire.Sync, _sync),
}
