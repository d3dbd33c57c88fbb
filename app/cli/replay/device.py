"""One Socket.IO connection that can be lost and made again, at any of the web processes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import engineio
import socketio
from socketio.exceptions import SocketIOError

from app.cli.replay.account import Account, Lost, Refused

ACK_WITHIN_S = 15.0
CONNECT_WITHIN_S = 10.0
Hear = Callable[[str, Any], None]


class InOrder(engineio.Client):  # type: ignore[misc]
    """Handles packets where they are read, one after the other: by itself it starts a thread for each, and order is lost."""

    def _trigger_event(self, event: str, *args: Any, **kwargs: Any) -> Any:
        return super()._trigger_event(event, *args, **{**kwargs, "run_async": False})


class Client(socketio.Client):  # type: ignore[misc]
    """The library's client, on such a transport."""

    def _engineio_client_class(self) -> type[engineio.Client]:
        return InOrder


class Device:
    """A person's socket. Events go to ``hear`` in the order in which they come; it must not wait for an ack."""

    def __init__(self, account: Account, urls: Sequence[str], hear: Hear) -> None:
        self._account, self._urls, self._hear = account, list(urls), hear
        self._turn = 0
        self._client: Any = None
        self._ended = threading.Event()  # set when the present connection is over
        self.connections = 0

    @property
    def is_connected(self) -> bool:
        """Whether the present connection stands, as far as is known."""
        return self._client is not None and not self._ended.is_set()

    def ensure(self) -> bool:
        """Be connected and ready; gives whether this is a new connection. One try: raises Lost where it fails."""
        if self.is_connected:
            return False
        self.drop()
        try:
            self._connect(self._urls[self._turn % len(self._urls)])
        except Lost:
            self._turn += 1
            raise
        self.connections += 1
        return True

    def _connect(self, url: str) -> None:
        token, ended, ready = self._account.token, threading.Event(), threading.Event()
        refusals: list[Any] = []

        def heard(event: str, *data: Any) -> None:
            if event == "ready":
                ready.set()
            self._hear(event, data[0] if data else None)

        def over(*_: Any) -> None:
            ended.set()
            ready.set()  # it will not come: nobody need wait for it

        # Checking UTF-8 byte by byte in Python costs more than all the rest; decoding checks it too.
        options = {"skip_utf8_validation": True, "timeout": CONNECT_WITHIN_S}
        client = Client(reconnection=False, handle_sigint=False, websocket_extra_options=options)
        client.on("*", heard)
        client.on("connect_error", refusals.append)
        client.on("disconnect", over)
        try:
            client.connect(
                url, auth={"token": token}, transports=["websocket"], wait_timeout=CONNECT_WITHIN_S, namespaces=["/"]
            )
        except (SocketIOError, OSError) as error:
            if any("unauthenticated" in str(refusal) for refusal in refusals):
                self._account.renew(token)
            raise Lost(f"{url}: {refusals or error}") from error
        self._client, self._ended = client, ended
        if not ready.wait(CONNECT_WITHIN_S) or ended.is_set():
            self.drop()
            raise Lost(f"{url} did not say that it is ready")

    def ask(self, event: str, payload: dict[str, Any]) -> Any:
        """Send an event and give its ack's data. Raises Refused, or Lost where the connection ended before the ack."""
        client, ended = self._client, self._ended
        answered, answers = threading.Event(), []

        def ack(answer: dict[str, Any]) -> None:
            answers.append(answer)
            answered.set()

        try:
            client.emit(event, payload, callback=ack)
        except (SocketIOError, AttributeError) as error:
            raise Lost("not connected") from error
        for _ in range(int(ACK_WITHIN_S / 0.05)):
            if answered.wait(0.05) or ended.is_set():
                break
        if not answers:
            self.drop()
            raise Lost(f"no answer to {event}")
        if not answers[0]["ok"]:
            raise Refused(answers[0]["error"])
        return answers[0]["data"]

    def drop(self) -> None:
        """Hang up, without waiting for anything."""
        client, self._client = self._client, None
        self._ended.set()
        if client is not None:
            client.disconnect()
