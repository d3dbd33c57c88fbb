"""The one place that emits: each server event of protocol section 5, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from app.extensions import socketio
from app.kernel import json
from app.kernel.events import CREATED_CHANNEL, DeliveryStatusEvent, MessageEvent, ReadReceiptEvent


def conversation_room(conversation_id: object) -> str:
    """Name the Socket.IO room of a conversation's members."""
    return f"conversation:{conversation_id}"


def message(event: MessageEvent) -> None:
    """Emit a created message once more, and tell the operator's other services: whoever committed it may have told nobody."""
    encoded = json.dump_bytes(event)
    messages([event], [encoded])
    socketio.server.manager.tell(CREATED_CHANNEL, encoded)


def messages(events: Sequence[MessageEvent], encoded: Sequence[bytes]) -> None:
    """Emit created messages, final and encoded already. Other services heard of them from the cache (``live/hot.py``)."""
    rooms = [conversation_room(event["conversationId"]) for event in events]
    socketio.server.manager.emit_encoded("message", zip(events, encoded, rooms, strict=True))


def provisional(event: MessageEvent) -> None:
    """Emit an accepted message that the database does not have yet."""
    _emit("message", event, conversation_room(event["conversationId"]))


def changed(event: MessageEvent) -> None:
    """Emit a changed message."""
    _emit("message:changed", event, conversation_room(event["conversationId"]))


def withdrawn(message_id: str, conversation_id: str, reason: str) -> None:
    """Take back a provisional message that could not be kept."""
    body = {"id": message_id, "conversationId": conversation_id, "reason": reason}
    _emit("message:withdrawn", body, conversation_room(conversation_id))


def heads(conversation_id: object, head_seq: int, version: int, *, here_only: bool = False) -> None:
    """Tell a conversation's members where it stands, so that a lost event is noticed; on request only those here."""
    body = {"heads": {str(conversation_id): {"headSeq": head_seq, "version": version}}}
    _emit("heads", body, conversation_room(conversation_id), here_only=here_only)


def here(event: MessageEvent) -> None:
    """Deliver a final event to this process's sockets only: it came through the database and not through Redis."""
    name = "message" if event["seq"] == event["changedSeq"] else "message:changed"
    _emit(name, event, conversation_room(event["conversationId"]), here_only=True)


def conversation(view: Mapping[str, Any], room: str) -> None:
    """Tell someone what a conversation looks like to them, or that it is gone."""
    _emit("conversation", dict(view), room)


def unread(room: str, body: Mapping[str, Any]) -> None:
    """Tell an actor's devices their unread count of a conversation."""
    _emit("unread", dict(body), room)


def receipt(event: ReadReceiptEvent) -> None:
    """Tell the subscribers of a conversation's receipts that someone has read."""
    _emit("receipt", event, f"receipts:{event['conversationId']}")


def delivery(event: DeliveryStatusEvent, rooms: Sequence[str]) -> None:
    """Tell the devices in these rooms, each once, what became of a message."""
    if rooms:
        _emit("delivery", event, list(rooms))


def typing(event: Mapping[str, Any]) -> None:
    """Tell a conversation's subscribers that someone types or has stopped; the manager leaves out the typist's own."""
    _emit("typing", dict(event), f"typing:{event['conversationId']}")


def presence(event: Mapping[str, Any], rooms: list[str]) -> None:
    """Tell the subscribers of all of someone's conversations, each socket once, how they are."""
    if rooms:
        _emit("presence", dict(event), rooms)
    _tell("channel:user-presence", event)


def presences(event: Mapping[str, Any], room: str) -> None:
    """Tell a conversation's subscribers how many people are, in one packet (the rest are ``more``).

    The operator's other services have heard of each by ``presence``.
    """
    _emit("presence", dict(event), room)


def system(
    kind: str,
    message: str,
    *,
    reconnect_after_ms: int | None = None,
    features: list[str] | None = None,
    sid: str | None = None,
) -> None:
    """Tell this process's clients, or one of them, about the service itself."""
    body: dict[str, Any] = {"kind": kind, "message": message}
    if features is not None:
        body["features"] = features
    if reconnect_after_ms is not None:
        body["reconnectAfterMs"] = reconnect_after_ms
    socketio.server.emit("system", body, to=sid, namespace="/", ignore_queue=True)
    if sid is None:
        _tell("channel:system-events", body)


def ending() -> None:
    """Tell the operator's other services that a process ends; its clients are told one by one, each when to come back."""
    _tell("channel:system-events", {"kind": "restart", "message": "A process of Parley ends."})


def _emit(name: str, body: Any, room: str | list[str], *, here_only: bool = False) -> None:
    socketio.server.emit(name, body, to=room, namespace="/", ignore_queue=here_only)


def _tell(channel: str, body: Any) -> None:
    socketio.server.manager.tell(channel, json.dump_bytes(body))


def hear(conversation_id: object) -> None:
    """Hear for a minute what is emitted of a conversation, although none of its members may be here."""
    socketio.server.manager.ear.lend(str(conversation_id))


def is_heard(conversation_id: object) -> bool:
    """Tell whether this process hears what is emitted of a conversation: members are here, or a send of its own waits."""
    return bool(socketio.server.manager.ear.hears(str(conversation_id)))


def together() -> AbstractContextManager[None]:
    """Have what is emitted in this block reach the other processes as one message, at its end."""
    found: AbstractContextManager[None] = socketio.server.manager.together()
    return found
