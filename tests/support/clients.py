"""Clients for tests: a person at the REST door, at the socket, or at both; nothing of the application is imported."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests
import socketio
from socketio.exceptions import ConnectionError as NotConnected

from tests.support.stack import until

# A client tries again what is unavailable for now, and so do these: a slow machine is not what the tests are about.
PATIENCE_S = 20.0
UNAVAILABLE = 503
PASSWORD = "correct horse battery 9"
Event = dict[str, Any]


class Rest:
    """A person (or nobody) at the REST door."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url, self.token = url, token
        self.session = requests.Session()

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        """Make a call below /api and give the whole response."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer = self.session.request(
                method, f"{self.url}/api{path}", json=body, headers=headers, timeout=20, **more
            )
            if answer.status_code != UNAVAILABLE or time.monotonic() > deadline:
                return answer
            time.sleep(0.2)

    def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Make a call that must succeed and give its data."""
        response = self.call(method, path, body, **more)
        assert response.ok, f"{method} {path}: {response.status_code} {response.text[:500]}"
        return response.json()["data"]

    def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, dict[str, Any]]:
        """Make a call that must be refused; gives (status, error)."""
        response = self.call(method, path, body, **more)
        assert not response.ok, f"{method} {path} was not refused: {response.text[:300]}"
        return response.status_code, response.json()["error"]

    def upload(self, content: bytes, name: str = "notes.txt") -> dict[str, Any]:
        """Upload a file; gives the attachment that it will be."""
        return dict(self.ok("POST", "/uploads", files={"file": (name, content)})["upload"])

    def file(self, upload_id: str, **query: Any) -> requests.Response:
        """Ask for an upload."""
        return self.call("GET", f"/uploads/{upload_id}", params=query)


class Person(Rest):
    """Someone with an account, at the REST door; ``socket()`` opens a device."""

    def __init__(self, url: str, username: str) -> None:
        super().__init__(url)
        body = {"username": username, "email": f"{username}@example.org", "password": PASSWORD}
        data = self.ok("POST", "/auth/register", body)
        self.token, self.refresh_token = data["accessToken"], data["refreshToken"]
        self.username, self.id = username, data["user"]["id"]
        self.sockets: list[Socket] = []

    def socket(self, url: str | None = None) -> Socket:
        """Open a device, on this or another web process, and wait until it is ready."""
        device = Socket(url or self.url, {"token": self.token})
        self.sockets.append(device)
        return device

    def at(self, url: str) -> Rest:
        """The same person at another web process."""
        return Rest(url, self.token)

    def room(self, slug: str, *members: Person, visibility: str = "public") -> str:
        """Make a room with members; gives its id."""
        body = {
            "kind": "room",
            "slug": slug,
            "title": slug,
            "visibility": visibility,
            "members": [m.username for m in members],
        }
        return str(self.ok("POST", "/conversations", body)["conversation"]["id"])

    def group(self, title: str, *members: Person) -> str:
        """Make a group with members; gives its id."""
        body = {"kind": "group", "title": title, "members": [m.username for m in members]}
        return str(self.ok("POST", "/conversations", body)["conversation"]["id"])

    def direct(self, other: Person) -> str:
        """Open the direct conversation with someone; gives its id."""
        return str(
            self.ok("POST", "/conversations", {"kind": "direct", "username": other.username})["conversation"]["id"]
        )

    def history(self, conversation_id: str, **query: Any) -> list[Event]:
        """Read a page of history."""
        return list(self.ok("GET", f"/conversations/{conversation_id}/messages", params=query)["items"])

    def everything(self, conversation_id: str) -> list[Event]:
        """Catch up from the very beginning, page by page; gives all messages by seq."""
        found: dict[str, Event] = {}
        after, more = 0, True
        while more:
            missed = self.ok("GET", f"/rooms/{conversation_id}/rejoin", params={"after": after, "limit": 200})
            for event in missed["messages"]:
                found[event["id"]] = event
            after, more = missed["upToSeq"], missed["hasMore"]
        return sorted(found.values(), key=lambda event: event["seq"])

    def until_persisted(self, conversation_id: str, count: int) -> list[Event]:
        """Wait until a conversation has this many persisted messages, and give them."""

        def enough() -> list[Event] | None:
            items = self.history(conversation_id, limit=200)
            return items if len(items) >= count and all(item["persisted"] for item in items) else None

        return until(enough, what=f"{count} persisted messages")  # type: ignore[return-value]

    def close(self) -> None:
        """Close every device."""
        for device in self.sockets:
            device.close()
        self.session.close()


class Socket:
    """A device: collects every event, in order; ``ask`` sends one and gives its ack."""

    def __init__(self, url: str, auth: Any, *, wait: bool = True, **more: Any) -> None:
        self.events: list[tuple[str, Any]] = []
        self._new = threading.Condition()
        # The library keeps its JSON on a class that the application, wired into this process by some tests, shares.
        self.client = socketio.Client(reconnection=False, json=json)
        self.client.on("*", self._heard)
        self.client.on("connect_error", lambda data: self._heard("connect_error", data))
        self.client.connect(url, auth=auth, transports=["websocket"], wait_timeout=10, **more)
        if wait:
            self.ready = self.next("ready")

    def _heard(self, event: str, *data: Any) -> None:
        with self._new:
            self.events.append((event, data[0] if data else None))
            self._new.notify_all()

    def ask(self, event: str, payload: Any = None) -> dict[str, Any]:
        """Send an event and give its ack."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            ack = dict(self.client.call(event, payload, timeout=20))
            if ack.get("ok") or ack["error"]["code"] != "unavailable" or time.monotonic() > deadline:
                return ack
            time.sleep(0.2)

    def ok(self, event: str, payload: Any = None) -> Any:
        """Send an event that must succeed and give the ack's data."""
        ack = self.ask(event, payload)
        assert ack["ok"], f"{event}: {ack}"
        return ack["data"]

    def refused(self, event: str, payload: Any = None) -> dict[str, Any]:
        """Send an event that must be refused and give the error."""
        ack = self.ask(event, payload)
        assert not ack["ok"], f"{event} was not refused"
        return dict(ack["error"])

    def heard(self, event: str, where: Callable[[Any], bool] = lambda _: True) -> list[Any]:
        """List what has been heard of an event so far."""
        with self._new:
            return [data for name, data in self.events if name == event and where(data)]

    def next(self, event: str, where: Callable[[Any], bool] = lambda _: True, *, within_s: float = 10) -> Any:
        """Wait for an event (heard already or not) and give the first that fits."""
        with self._new:
            found = self._new.wait_for(lambda: self._find(event, where), timeout=within_s)
        assert found, f"no {event} within {within_s} s; heard {[name for name, _ in self.events][-20:]}"
        return found[0]

    def _find(self, event: str, where: Callable[[Any], bool]) -> list[Any]:
        return [data for name, data in self.events if name == event and where(data)][:1]

    def messages(self, conversation_id: str) -> list[Event]:
        """List the final messages heard of a conversation, in the order heard."""
        return self.heard("message", lambda m: m["conversationId"] == conversation_id and m["persisted"])

    def close(self) -> None:
        """Hang up."""
        self.client.disconnect()


def refused_connection(url: str, auth: Any, **more: Any) -> dict[str, Any]:
    """Try to open a device that must be refused, and give the server's reason."""
    device = Socket.__new__(Socket)
    with pytest.raises(NotConnected):
        device.__init__(url, auth, wait=False, **more)  # type: ignore[misc]
    return dict(device.next("connect_error"))


def send_body(conversation_id: str, content: str, client_message_id: str | None = None, **more: Any) -> dict[str, Any]:
    """Make the payload of a send."""
    return {
        "conversationId": conversation_id,
        "content": content,
        "clientMessageId": client_message_id or str(uuid.uuid4()),
        **more,
    }
