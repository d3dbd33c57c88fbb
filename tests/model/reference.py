"""The reference model: what the world outside has been promised, built from what it was told, never from the inside."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.model.system import (
    CONVERSATIONS,
    HOLDERS,
    PEOPLE,
    Change,
    Kind,
    Message,
    Send,
    Snapshot,
    provisional,
)


@dataclass
class Chronicle:
    """One conversation as the database has committed it: every state of every message, by position."""

    head: int = 0
    rows: dict[str, Message] = field(default_factory=dict)
    states: dict[tuple[str, int], Message] = field(default_factory=dict)
    unaccounted: set[int] = field(default_factory=set)

    def observe(self, snapshot: Snapshot) -> None:
        """Take in what has been committed since; positions that no message shows are `unaccounted` for."""
        new = set(range(self.head + 1, snapshot.head + 1))
        for row in snapshot.rows.values():
            new -= {row.seq or 0, row.changed_seq}
            self.states.setdefault((row.id, row.changed_seq), row)
        self.unaccounted |= new
        self.head, self.rows = snapshot.head, dict(snapshot.rows)


class Reference:
    """Accepted sends, the states they must have, memberships, and what has been announced."""

    def __init__(self) -> None:
        self.sent: dict[str, Send] = {}
        self.accepted: dict[str, Send] = {}
        self.wanted: dict[str, Message] = {}
        self.chronicles = {conversation: Chronicle() for conversation in CONVERSATIONS}
        self.announced = dict.fromkeys(CONVERSATIONS, 0)
        self.members = {(person, conversation) for person in PEOPLE for conversation in CONVERSATIONS}
        self.unheard: dict[tuple[str, str], set[str]] = {}

    def try_send(self, send: Send) -> None:
        self.sent.setdefault(send.id, send)

    def accept(self, send: Send) -> None:
        """From now on it must be kept, whatever the sender hears."""
        self.accepted.setdefault(send.id, send)
        self.wanted.setdefault(send.id, provisional(send))

    def change(self, person: str, change: Change) -> None:
        """What content, tombstone and reactions must be, once the change was not refused."""
        old = self.wanted[change.message_id]
        mark = frozenset({f"{change.value}:{person}"})
        mine = person == old.sender
        if change.kind is Kind.DELETE and mine:
            old = replace(old, content="", deleted=True, reactions=frozenset())
        elif change.kind is Kind.UNREACT:
            old = replace(old, reactions=old.reactions - mark)
        elif change.kind is Kind.REACT and not old.deleted:
            old = replace(old, reactions=old.reactions | mark)
        elif change.kind is Kind.EDIT and mine and not old.deleted:
            old = replace(old, content=change.value)
        self.wanted[change.message_id] = old

    def add(self, person: str, conversation: str) -> None:
        self.members.add((person, conversation))

    def remove(self, person: str, conversation: str) -> None:
        self.members.discard((person, conversation))
        self.unheard[person, conversation] = set(HOLDERS)

    def hear(self, holder: str) -> None:
        for holders in self.unheard.values():
            holders.discard(holder)

    def may_reach(self, holder: str, person: str, conversation: str) -> bool:
        """A removal binds a holder once it has heard of it (the real one must within a second)."""
        pair = (person, conversation)
        return pair in self.members or holder in self.unheard.get(pair, ())

    def announce(self, event: Message) -> None:
        """What has been emitted, a later catch-up must not deny."""
        newest = self.announced[event.conversation]
        self.announced[event.conversation] = max(newest, event.changed_seq)
