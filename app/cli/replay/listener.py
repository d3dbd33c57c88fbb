"""Someone who is there all the time: holds a position and mends gaps as protocol section 6 says."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from app.cli.replay.account import PAUSE_S, Account, Lost, Refused
from app.cli.replay.device import Device

GAP_S = 0.3
LOOK_EVERY_S = 0.05
Event = dict[str, Any]


class Listener:
    """A view of one conversation, kept by live events and, where one is missing, by ``sync``.

    ``faults`` are what no client should ever see; ``counts`` says how it went (live, repeats, synced, connections).
    """

    def __init__(self, account: Account, urls: Sequence[str], conversation_id: str) -> None:
        self._device = Device(account, urls, lambda event, body: self._inbox.put((event, body)))
        self._conversation_id = conversation_id
        self._inbox: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._view: dict[str, Event] = {}
        self._provisional: dict[str, Event] = {}
        self._ahead: dict[int, Event] = {}
        self._behind_since: float | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.position = 0
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        """Connect and listen from now on."""
        self._thread.start()
        self.wait(lambda: self._device.is_connected)

    def wait(self, condition: Any, *, within_s: float = 20) -> bool:
        """Wait for a condition; tells whether it came true in time."""
        deadline = time.monotonic() + within_s
        while not condition() and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY_S)
        return bool(condition())

    def stop(self) -> list[Event]:
        """Hang up; gives all that is on the screen, in its order: what is final by ``seq``, then what is provisional."""
        self._stopping.set()
        self._thread.join(30)
        self._device.drop()
        return sorted(self._view.values(), key=lambda event: int(event["seq"])) + list(self._provisional.values())

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._device.ensure():
                    self.counts["connections"] += 1
                    self._catch_up()
                self._listen()
            except Lost:
                self._stopping.wait(PAUSE_S)
            except Refused as refusal:
                if not refusal.temporary:
                    self.faults.append(f"catching up was refused: {refusal}")
                self._stopping.wait(refusal.wait_s)

    def _listen(self) -> None:
        try:
            self._take(*self._inbox.get(timeout=LOOK_EVERY_S))
        except queue.Empty:
            pass
        if self._behind_since is not None and time.monotonic() - self._behind_since > GAP_S:
            self._catch_up()

    def _take(self, event: str, body: Any) -> None:
        if event == "heads":
            if body["heads"].get(self._conversation_id, {}).get("headSeq", 0) > self.position:
                self._behind()
        elif event == "message:withdrawn":
            self._provisional.pop(body["id"], None)
            self.faults.append(f"a message was withdrawn: {body}")
        elif event in ("message", "message:changed") and body["conversationId"] == self._conversation_id:
            self._heard(body)

    def _heard(self, event: Event) -> None:
        if not event["persisted"]:
            self.counts["provisional"] += 1
            if event["id"] not in self._view:
                self._provisional[event["id"]] = event
        elif event["changedSeq"] <= self.position:
            self.counts["repeats"] += 1
        else:
            self.counts["live"] += 1
            self._ahead[event["changedSeq"]] = event
            self._advance()

    def _advance(self) -> None:
        while (event := self._ahead.pop(self.position + 1, None)) is not None:
            self._apply(event)
            self.position += 1
            self._behind_since = None
        if self._ahead:
            self._behind()

    def _behind(self) -> None:
        self._behind_since = self._behind_since or time.monotonic()

    def _catch_up(self) -> None:
        more = True
        while more:
            asked = {"conversationId": self._conversation_id, "after": self.position, "limit": 200}
            missed = self._device.ask("sync", asked)
            self.counts["synced"] += len(missed["messages"])
            for event in missed["messages"]:
                self._apply(event)
            if missed["upToSeq"] < self.position:
                self.faults.append(f"sync after {self.position} answered upToSeq {missed['upToSeq']}")
            self.position, more = max(self.position, missed["upToSeq"]), missed["hasMore"]
        self._behind_since = None
        self._ahead = {at: event for at, event in self._ahead.items() if at > self.position}
        self._advance()

    def _apply(self, event: Event) -> None:
        held = self._view.get(event["id"])
        if event["seq"] is None or event["changedSeq"] is None or not event["persisted"]:
            self.faults.append(f"a final message without a position: {event}")
            return
        if held is not None and held["seq"] != event["seq"]:
            self.faults.append(f"message {event['id']} moved from {held['seq']} to {event['seq']}")
        if held is None or held["changedSeq"] < event["changedSeq"]:
            self._view[event["id"]] = event
        self._provisional.pop(event["id"], None)
        self._count_reply(event)

    def _count_reply(self, event: Event) -> None:
        """A reply carries its root's new count; they share the position."""
        root = self._view.get(event["threadRootId"] or "")
        if root is not None and event["seq"] > root["changedSeq"]:
            self._view[root["id"]] = {**root, "replyCount": event["rootReplyCount"], "changedSeq": event["seq"]}
