"""A device's connection to one web process. Every question gets an answer, is cut off, or was met with silence (I9)."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import socketio
from socketio.exceptions import SocketIOError

SILENT_AFTER_S = 20.0  # on a connection that lives; PostgreSQL hung costs up to 5.3 s, a stopped process 15
HANDSHAKE_S = 5


class Fate(Enum):
    """What became of a question."""

    OK = "ok"
    REFUSED = "refused"
    CUT = "cut"
    SILENT = "silent"


@dataclass(frozen=True)
class Reply:
    """The answer to a question: its data, or the error that says why not."""

    fate: Fate
    data: Any = None
    error: dict[str, Any] = field(default_factory=dict)


class NoLine(Exception):
    """The process could not be reached, or refused the connection."""


class Line:
    """An open connection; what is heard waits in ``heard``, in order, and is told at once to ``listener``."""

    def __init__(self, url: str, token: str, listener: Callable[[str, Any], None] | None = None) -> None:
        self.url = url
        self.heard: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._waiting: list[queue.Queue[Reply]] = []
        self._lock = threading.Lock()
        self.is_open = True
        self._client = socketio.Client(reconnection=False, json=json, request_timeout=HANDSHAKE_S, handle_sigint=False)
        self._listener = listener
        self._client.on("*", self._hear)
        self._client.on("disconnect", self._cut)
        try:
            self._client.connect(url, auth={"token": token}, transports=["websocket"], wait_timeout=HANDSHAKE_S)
        except (SocketIOError, OSError, ValueError) as error:
            raise NoLine(str(error)) from error
        self.ready = self._until_ready()

    def _hear(self, event: str, data: Any = None) -> None:
        self.heard.put((event, data))
        if self._listener is not None:
            self._listener(event, data)

    def _until_ready(self) -> dict[str, Any]:
        while True:
            try:
                event, data = self.heard.get(timeout=HANDSHAKE_S)
            except queue.Empty:
                self.close()
                raise NoLine("no ready") from None
            if event == "ready":
                return dict(data)

    def ask(self, event: str, payload: Any) -> Reply:
        """Send an event and wait for what becomes of it."""
        answer: queue.Queue[Reply] = queue.Queue()
        with self._lock:
            self._waiting.append(answer)
        if not self.is_open:
            return Reply(Fate.CUT)
        try:
            self._client.emit(event, payload, callback=lambda ack: answer.put(_reply(ack)))
            return answer.get(timeout=SILENT_AFTER_S)
        except queue.Empty:
            return Reply(Fate.SILENT)
        except SocketIOError:
            return Reply(Fate.CUT)
        finally:
            with self._lock:
                self._waiting.remove(answer)

    def _cut(self, *_: Any) -> None:
        self.is_open = False
        with self._lock:
            for answer in self._waiting:
                answer.put(Reply(Fate.CUT))

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(Exception):
            self._client.disconnect()
        self._cut()


def _reply(ack: dict[str, Any]) -> Reply:
    return Reply(Fate.OK, ack["data"]) if ack["ok"] else Reply(Fate.REFUSED, error=ack["error"])
