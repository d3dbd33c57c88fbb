"""One replay from beginning to end: accounts, a room, every line in its order, then the comparison."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.cli.replay import compare, reader
from app.cli.replay.account import Account, Door
from app.cli.replay.listener import Listener
from app.cli.replay.script import Line, Script
from app.cli.replay.sender import Sender

Tell = Callable[[str, int, int], None]  # what goes on, how many are done, of how many
ALL_HEARD_WITHIN_S = 30.0  # invariant I6: 12 s after a dropped emit


@dataclass(slots=True)
class Outcome:
    """What came of a replay. ``views`` maps who looked to (how many messages, the differences found)."""

    script: Script
    seconds: float = 0.0
    resent: int = 0
    waits: int = 0
    reconnections: int = 0
    heard: dict[str, int] = field(default_factory=dict)
    views: dict[str, tuple[int, list[str]]] = field(default_factory=dict)

    @property
    def differences(self) -> int:
        """How many differences all views have together."""
        return sum(len(found) for _, found in self.views.values())


class Performance:
    """A replay of one script in a room of its own. ``speed`` is times real time; None as fast as acks come."""

    def __init__(
        self, script: Script, urls: Sequence[str], *, tell: Tell, speed: float | None = None, room: str | None = None
    ) -> None:
        self._script, self._urls, self._tell, self._speed = script, list(urls), tell, speed
        self._slug = room or f"{script.name.replace('_', '-').lower()[:50]}-{script.tag}"
        self._door = Door(urls)
        self._senders: dict[str, Sender] = {}
        self._message_ids: dict[int, str] = {}

    def run(self) -> Outcome:
        """Replay and compare. Raises Refused or Lost where the server will not have it."""
        outcome = Outcome(self._script)
        accounts = self._accounts()
        listening = Account(self._door, f"listener-{self._script.tag}", "Listener")
        room = self._room(listening, accounts)
        listener = Listener(listening, self._urls[::-1], room)
        listener.start()
        try:
            started = time.monotonic()
            self._say_everything(accounts, room)
            self._settle()
            outcome.seconds = time.monotonic() - started
            self._compare(outcome, listener, room)
        finally:
            listener.stop()
            for sender in self._senders.values():
                sender.close()
        return outcome

    def _accounts(self) -> dict[str, Account]:
        names, accounts = self._script.usernames, {}
        for number, (nick, username) in enumerate(names.items()):
            self._tell("accounts", number, len(names))
            accounts[nick] = Account(self._door, username, nick)
        return accounts

    def _room(self, maker: Account, accounts: dict[str, Account]) -> str:
        body = {
            "kind": "room",
            "slug": self._slug,
            "title": self._script.name,
            "topic": "A replay of an #ubuntu IRC log.",
            "visibility": "public",
            "members": [account.username for account in accounts.values()],
        }
        return str(maker.call("POST", "/conversations", body=body)["conversation"]["id"])

    def _say_everything(self, accounts: dict[str, Account], room: str) -> None:
        """Send line by line: the next one only when this one is accepted, so that the order between people is kept."""
        lines, started = self._script.lines, time.monotonic()
        for number, line in enumerate(lines):
            self._tell("messages", number, len(lines))
            if self._speed is not None:
                due = started + (line.at - lines[0].at).total_seconds() / self._speed
                time.sleep(max(0.0, due - time.monotonic()))
            message = self._sender(accounts, line).send(self._payload(line, room))
            self._message_ids[line.number] = message["id"]
        self._tell("messages", len(lines), len(lines))

    def _sender(self, accounts: dict[str, Account], line: Line) -> Sender:
        """Find a nick's client; it connects when it first speaks. The nicks are spread over the web processes."""
        if line.nick not in self._senders:
            turn = len(self._senders) % len(self._urls)
            self._senders[line.nick] = Sender(accounts[line.nick], self._urls[turn:] + self._urls[:turn])
        return self._senders[line.nick]

    def _payload(self, line: Line, room: str) -> dict[str, Any]:
        payload = {
            "conversationId": room,
            "content": line.content,
            "clientMessageId": line.client_message_id,
            "metadata": line.metadata,
        }
        if line.reply_to is not None:
            payload["replyToId"] = self._message_ids[line.reply_to]
        return payload

    def _settle(self) -> None:
        unsettled = [nick for nick, sender in self._senders.items() if not sender.settle()]
        if unsettled:
            raise TimeoutError(f"messages of {', '.join(unsettled[:5])} were accepted and are not persisted")

    def _compare(self, outcome: Outcome, listener: Listener, room: str) -> None:
        self._tell("comparing", 0, 4)
        late = Account(self._door, f"late-{self._script.tag}", "Late reader")
        head = int(late.call("POST", f"/conversations/{room}/join")["conversation"]["headSeq"])
        listener.wait(lambda: listener.position >= head, within_s=ALL_HEARD_WITHIN_S)
        live = listener.stop()
        views = {"history": reader.history(late, room)}
        self._tell("comparing", 1, 4)
        views["rejoin from 0"] = reader.rejoin(late, room)
        self._tell("comparing", 2, 4)
        views["sync from 0"] = reader.sync(late, self._urls, room)
        self._tell("comparing", 3, 4)
        for name, got in views.items():
            outcome.views[name] = len(got), compare.differences(self._script, got)
        found = compare.differences(self._script, live) + listener.faults + compare.stale(live, views["history"])
        outcome.views["listener"] = (
            len(live),
            found + [f"withdrawn: {w}" for s in self._senders.values() for w in s.withdrawn],
        )
        outcome.heard = dict(listener.counts)
        outcome.resent = sum(sender.resent for sender in self._senders.values())
        outcome.waits = sum(sender.waits for sender in self._senders.values())
        outcome.reconnections = sum(sender.reconnections for sender in self._senders.values())
        self._tell("comparing", 4, 4)
