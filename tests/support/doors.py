"""The two doors to the same verbs: a test that takes a ``door`` says once what must hold at both."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

from tests.support.clients import Event, Person, Socket, send_body
from tests.support.stack import until

STATUS = {
    "malformed": {400},
    "unauthenticated": {401},
    "forbidden": {403},
    "not_found": {404, 405},
    "conflict": {409},
    "out_of_order": {409},
    "too_large": {413},
    "invalid": {422},
    "rate_limited": {429},
    "unavailable": {503},
}


class Refused(Exception):
    """A door said no; ``error`` is its error object."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']} {error.get('fields', '')}")
        self.error, self.code = error, error["code"]


class Door:
    """A person at one of the doors. Each verb gives the object the contract names, or raises Refused."""

    name = ""

    def __init__(self, person: Person) -> None:
        self.person = person

    def send(
        self, conversation_id: str | None, content: str, client_message_id: str | None = None, **more: Any
    ) -> Event:
        """Send; gives what the ack gave: provisional, or final."""
        body = {"content": content, "clientMessageId": client_message_id or str(uuid.uuid4()), **more}
        if conversation_id is not None:
            body["conversationId"] = conversation_id
        return dict(self.send_raw(body))

    def say(self, conversation_id: str, content: str, **more: Any) -> Event:
        """Send and wait for the commit; gives the final message."""
        return committed(self.person, self.send(conversation_id, content, **more)["id"])

    def send_raw(self, body: dict[str, Any]) -> Event:
        raise NotImplementedError


class RestDoor(Door):
    """The REST calls; checks that each refusal has the status of its code."""

    name = "rest"

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Call; gives the data or raises Refused."""
        response = self.person.call(method, path, body, **more)
        if response.ok:
            return response.json()["data"]
        error = response.json()["error"]
        assert response.status_code in STATUS[error["code"]], error
        raise Refused(error)

    def send_raw(self, body: dict[str, Any]) -> Event:
        return dict(self.ask("POST", "/messages/send", body)["message"])

    def edit(self, message_id: str, content: str) -> Event:
        return dict(self.ask("PATCH", f"/messages/{message_id}", {"content": content})["message"])

    def delete(self, message_id: str) -> Event:
        return dict(self.ask("DELETE", f"/messages/{message_id}")["message"])

    def react(self, message_id: str, emoji: str) -> Event:
        return dict(self.ask("PUT", f"/messages/{message_id}/reactions/{quote(emoji)}")["message"])

    def unreact(self, message_id: str, emoji: str) -> Event:
        return dict(self.ask("DELETE", f"/messages/{message_id}/reactions/{quote(emoji)}")["message"])

    def read(self, conversation_id: str, message_id: str) -> dict[str, Any]:
        body = {"conversationId": conversation_id, "messageId": message_id}
        return dict(self.ask("POST", "/messages/mark-read", body))

    def read_all(self, message_ids: list[str]) -> dict[str, Any]:
        return dict(self.ask("POST", "/messages/mark-read", {"messageIds": message_ids}))

    def unread(self, conversation_id: str, message_id: str | None = None) -> dict[str, Any]:
        body = {"conversationId": conversation_id, **({"messageId": message_id} if message_id else {})}
        return dict(self.ask("POST", "/messages/mark-unread", body))

    def received(self, conversation_id: str, message_id: str) -> int:
        body = {"roomId": conversation_id, "messageId": message_id}
        return int(self.ask("POST", "/messages/mark-received", body)["receivedSeq"])

    def catch_up(self, conversation_id: str, **query: Any) -> dict[str, Any]:
        return dict(self.ask("GET", f"/rooms/{conversation_id}/rejoin", params=query))


class SocketDoor(Door):
    """The Socket.IO events, over one device."""

    name = "socket"

    def __init__(self, person: Person, device: Socket) -> None:
        super().__init__(person)
        self.device = device

    def ask(self, event: str, payload: Any) -> Any:
        """Send an event; gives the ack's data or raises Refused."""
        ack = self.device.ask(event, payload)
        if ack["ok"]:
            return ack["data"]
        raise Refused(ack["error"])

    def send_raw(self, body: dict[str, Any]) -> Event:
        return dict(self.ask("message:send", body)["message"])

    def edit(self, message_id: str, content: str) -> Event:
        return dict(self.ask("message:edit", {"messageId": message_id, "content": content})["message"])

    def delete(self, message_id: str) -> Event:
        return dict(self.ask("message:delete", {"messageId": message_id})["message"])

    def react(self, message_id: str, emoji: str) -> Event:
        return dict(self.ask("reaction:add", {"messageId": message_id, "emoji": emoji})["message"])

    def unreact(self, message_id: str, emoji: str) -> Event:
        return dict(self.ask("reaction:remove", {"messageId": message_id, "emoji": emoji})["message"])

    def read(self, conversation_id: str, message_id: str) -> dict[str, Any]:
        return dict(self.ask("message:read", {"conversationId": conversation_id, "messageId": message_id}))

    def read_all(self, message_ids: list[str]) -> dict[str, Any]:
        return dict(self.ask("message:read", {"messageIds": message_ids}))

    def unread(self, conversation_id: str, message_id: str | None = None) -> dict[str, Any]:
        payload = {"conversationId": conversation_id, **({"messageId": message_id} if message_id else {})}
        return dict(self.ask("message:unread", payload))

    def received(self, conversation_id: str, message_id: str) -> int:
        payload = {"conversationId": conversation_id, "messageId": message_id}
        return int(self.ask("message:received", payload)["receivedSeq"])

    def catch_up(self, conversation_id: str, **query: Any) -> dict[str, Any]:
        return dict(self.ask("sync", {"conversationId": conversation_id, **query}))


def committed(person: Person, message_id: str, *, within_s: float = 20) -> Event:
    """Wait until a message is in the database and give it as a fresh load shows it."""

    def found() -> Event | None:
        response = person.call("GET", f"/messages/{message_id}")
        return response.json()["data"]["message"] if response.ok else None

    return until(found, within_s=within_s, what=f"the commit of {message_id}")  # type: ignore[return-value]


def pour(device: Socket, conversation_id: str, texts: list[str]) -> list[Event]:
    """Send many messages over one socket without waiting for the acks in between; gives the acks in order."""
    acks: dict[int, Any] = {}
    for number, content in enumerate(texts):
        device.client.emit(
            "message:send",
            send_body(conversation_id, content),
            callback=lambda ack, number=number: acks.__setitem__(number, ack),
        )
    until(lambda: len(acks) == len(texts), within_s=30, what=f"{len(texts)} acks")
    assert all(ack["ok"] for ack in acks.values()), acks
    return [acks[number]["data"]["message"] for number in range(len(texts))]
