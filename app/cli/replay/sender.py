"""One nick: an outbox that is resent, in order, after a lost connection or a temporary refusal (protocol section 7)."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.cli.replay.account import PATIENCE_S, PAUSE_S, Account, Lost, Refused
from app.cli.replay.device import Device

RESEND_EVERY_S = 3.0
Event = dict[str, Any]


@dataclass(slots=True)
class Waiting:
    """A message of the outbox: what is sent, and whether this connection has had its ack."""

    payload: Event
    is_acked: bool = False


class Sender:
    """Sends one person's messages. A message leaves the outbox when a copy with ``persisted: true`` has come."""

    def __init__(self, account: Account, urls: Sequence[str]) -> None:
        self._device = Device(account, urls, self._hear)
        self._outbox: dict[str, Waiting] = {}
        self._changed = threading.Condition()
        self._accepted: dict[str, Event] = {}
        self.resent = self.waits = 0
        self.withdrawn: list[str] = []

    @property
    def reconnections(self) -> int:
        """How often the connection had to be made again."""
        return max(0, self._device.connections - 1)

    def send(self, payload: Event) -> Event:
        """Send a message and give it as acked; tries until it is accepted. Raises Refused or Lost in the end."""
        with self._changed:
            self._outbox[payload["clientMessageId"]] = Waiting(payload)
        self._flush(time.monotonic() + PATIENCE_S)
        return self._accepted[payload["clientMessageId"]]

    def settle(self, *, within_s: float = PATIENCE_S) -> bool:
        """Wait until every message is known to be persisted, resending now and then; tells whether that came true."""
        deadline = time.monotonic() + within_s
        while not self._wait_until_empty(min(RESEND_EVERY_S, deadline - time.monotonic())):
            if time.monotonic() > deadline:
                return False
            self._resend_all()
            self._flush(deadline)
        return True

    def close(self) -> None:
        """Hang up."""
        self._device.drop()

    # the outbox -------------------------------------------------------------------------------------------------------
    def _flush(self, deadline: float) -> None:
        while (found := self._next()) is not None:
            before, waiting = found
            try:
                if self._device.ensure():
                    self._resend_all()
                    continue  # from the first one on
                more = {"afterClientMessageId": before} if before else {}
                message = self._device.ask("message:send", {**waiting.payload, **more})["message"]
            except (Lost, Refused) as error:
                self._wait_out(error, deadline)
                continue
            self._acked(waiting, message)

    def _next(self) -> tuple[str | None, Waiting] | None:
        """Find the first message without an ack, and the one before it that has not been seen persisted."""
        before = None
        with self._changed:
            for client_message_id, waiting in self._outbox.items():
                if not waiting.is_acked:
                    return before, waiting
                before = client_message_id
        return None

    def _wait_out(self, error: Lost | Refused, deadline: float) -> None:
        final = isinstance(error, Refused) and not error.temporary and error.code != "unauthenticated"
        if final or time.monotonic() > deadline:
            raise error
        self.waits += 1
        if isinstance(error, Refused) and error.code == "unauthenticated":
            self._device.drop()
        elif isinstance(error, Refused) and error.code == "out_of_order":
            self._resend_all()
        time.sleep(error.wait_s if isinstance(error, Refused) else PAUSE_S)

    def _resend_all(self) -> None:
        with self._changed:
            for waiting in self._outbox.values():
                self.resent += waiting.is_acked
                waiting.is_acked = False

    def _acked(self, waiting: Waiting, message: Event) -> None:
        waiting.is_acked = True
        self._accepted[message["clientMessageId"]] = message
        self._hear("message", message)

    def _hear(self, event: str, body: Any) -> None:
        if event == "message:withdrawn":
            self.withdrawn.append(str(body))
        if event != "message" or not body["persisted"] or body["clientMessageId"] not in self._outbox:
            return
        with self._changed:  # the copy may come before the ack, or instead of it
            self._accepted.setdefault(body["clientMessageId"], body)
            self._outbox.pop(body["clientMessageId"], None)
            self._changed.notify_all()

    def _wait_until_empty(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._outbox, timeout=max(0.0, seconds))
