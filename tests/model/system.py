"""What the machine can do to Parley, whichever parts it is made of: the words, and the operations as one interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import TypeAlias

PEOPLE = ("ann", "ben", "cleo")
CONVERSATIONS = ("den", "hall")
PROCESSES = ("web-1", "web-2")
DRAINERS = ("worker", "stand-in")
SHARED = "shared cache"
"""The memberships in Redis that an accept asks; each web process holds its own joined rooms beside them."""
HOLDERS = (*PROCESSES, SHARED)


class Refused(Exception):
    """A refusal with the protocol's code: not_found, out_of_order or unavailable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Send:
    """One message as its client sends it; `after` names the previous send the client has not seen persisted."""

    device: str
    sender: str
    conversation: str
    number: int
    content: str
    reply_to: str | None = None
    after: str | None = None

    @property
    def id(self) -> str:
        """The id every path and every retry computes: from the sender and the client's own message id."""
        return f"{self.sender}:{self.device}:{self.number}"


@dataclass(frozen=True)
class Message:
    """One message as anybody sees it. Without `seq` it is provisional, with it final.

    `root_reply_count` is no state of the message: the event of a reply carries it for the reply's root.
    """

    id: str
    conversation: str
    sender: str
    content: str
    reply_to: str | None = None
    seq: int | None = None
    changed_seq: int = 0
    edited: bool = False
    deleted: bool = False
    reactions: frozenset[str] = frozenset()
    reply_count: int = 0
    root_reply_count: int | None = field(default=None, compare=False)

    @property
    def persisted(self) -> bool:
        return self.seq is not None


def provisional(send: Send) -> Message:
    return Message(send.id, send.conversation, send.sender, send.content, send.reply_to)


@dataclass(frozen=True)
class Head:
    """The `heads` event: this conversation has come as far as `position`."""

    conversation: str
    position: int


Event: TypeAlias = Message | Head


@dataclass(frozen=True)
class Emit:
    """An event one part has published; each web process (or `only` one) then hands it to the members' sockets it holds."""

    origin: str
    event: Event
    only: str | None = None

    @property
    def conversation(self) -> str:
        return self.event.conversation


class Kind(Enum):
    EDIT = "edit"
    DELETE = "delete"
    REACT = "react"
    UNREACT = "unreact"


@dataclass(frozen=True)
class Change:
    """An edit, a deletion or a reaction; `value` is the new content or the emoji."""

    kind: Kind
    message_id: str
    value: str = ""


class Stage(IntEnum):
    """How far a drain has come; it can be stopped between any two."""

    IDLE = 0
    READ = 1
    INSERTED = 2
    COMMITTED = 3
    REFRESHED = 4
    EMITTED = 5
    DELETED = 6


class Aftermath(Enum):
    """What became of the steps that follow a commit made by a web process."""

    DIED_AT_ONCE = "neither cache nor clients were told"
    DIED_BEFORE_EMIT = "the cache was told, the clients were not"
    CACHE_UNREACHABLE = "the cache could not be told, so its copy is distrusted; the clients were told"
    COMPLETE = "all were told"


class Reading(Enum):
    HISTORY = "history"
    SYNC = "sync"


@dataclass(frozen=True)
class Question:
    """A client's read of the newest page (`HISTORY`) or of all since a position (`SYNC`)."""

    reading: Reading
    process: str
    person: str
    conversation: str
    after: int = 0
    limit: int = 2


@dataclass(frozen=True)
class Answer:
    """Messages, and the position that describes them. Only a page of history may hold provisional ones."""

    messages: tuple[Message, ...]
    up_to: int
    has_more: bool = False


@dataclass(frozen=True)
class Snapshot:
    """What the database holds of one conversation, looked at from outside."""

    head: int = 0
    rows: Mapping[str, Message] = field(default_factory=dict)


class System(ABC):
    """Parley as its adversary sees it. Whatever takes several steps inside can be stopped, or raced, between them."""

    # What people do.

    @abstractmethod
    def accept(self, process: str, send: Send, aftermath: Aftermath) -> Message:
        """Take a send, into the log or (no log in reach, or write mode through) straight into the database."""

    @abstractmethod
    def change(self, process: str, person: str, change: Change, aftermath: Aftermath) -> None:
        """Edit, delete or react, in a transaction of its own."""

    @abstractmethod
    def add_member(self, person: str, conversation: str) -> None:
        """Commit a membership; every holder of memberships still has to hear of it."""

    @abstractmethod
    def remove_member(self, person: str, conversation: str) -> None:
        """End a membership; every holder of memberships still has to hear of it."""

    @abstractmethod
    def begin_read(self, question: Question) -> object:
        """Start a read; what happens before `finish_read` happens in the midst of it."""

    @abstractmethod
    def finish_read(self, begun: object) -> Answer:
        """Answer a read."""

    # What the parts do.

    @abstractmethod
    def advance(self, drainer: str) -> Stage:
        """Take a drain one stage further (or leave it where it is, if it must wait for a lock); its stage then."""

    @abstractmethod
    def show_provisionals(self, process: str) -> None:
        """The stall guard: emit copies of what this process has accepted and not seen committed."""

    @abstractmethod
    def repair(self) -> None:
        """The healer: compute heads from the database, mend the cache with them, announce them."""

    @abstractmethod
    def begin_load(self, holder: str, person: str, conversation: str) -> object:
        """Read a membership from the database, to store it in a cache later."""

    @abstractmethod
    def finish_load(self, begun: object) -> None:
        """Store what `begin_load` read, if that may still be done."""

    def drain_once(self, drainer: str) -> Stage:
        """Go on until a batch has left the log, or as far as it can."""
        for _ in range(2 * len(Stage)):
            if self.advance(drainer) is Stage.DELETED:
                return Stage.DELETED
        return Stage.IDLE

    def load(self, holder: str, person: str, conversation: str) -> None:
        """Load a membership into a web process with nothing in between."""
        self.finish_load(self.begin_load(holder, person, conversation))

    @abstractmethod
    def hear(self, holder: str) -> None:
        """Let a holder of memberships act on the changes it has been told of."""

    # What goes wrong.

    @abstractmethod
    def kill_drainer(self, drainer: str) -> None:
        """Kill it wherever it is; its open transaction ends with it."""

    @abstractmethod
    def crash(self, process: str) -> None:
        """Kill a web process and start it anew: its memory and its sockets are gone."""

    @abstractmethod
    def cut_log(self, process: str) -> None:
        """Put the message log out of this process's reach (of this one alone)."""

    @abstractmethod
    def reach_log(self, process: str) -> None:
        """Bring the log back into reach."""

    @abstractmethod
    def copy_log(self) -> None:
        """Keep a copy of the message log as it is now."""

    @abstractmethod
    def restore_log(self) -> None:
        """Put everything in the kept copy back into the log, drained long ago or not."""

    @abstractmethod
    def forget_sends(self) -> None:
        """Let the log's memory of sends already drained expire."""

    @abstractmethod
    def lose_cache(self) -> None:
        """Empty the other Redis: heads, hot history, memberships."""

    @abstractmethod
    def evict_hot(self, conversation: str, position: int) -> None:
        """Lose one event from the middle of the hot history."""

    @abstractmethod
    def heal(self) -> None:
        """End every fault: all in reach, nobody silent, no transaction left open."""

    # What can be seen from outside.

    @abstractmethod
    def take_emits(self) -> list[Emit]:
        """What has been published since the last call, in order."""

    @abstractmethod
    def audience(self, process: str, conversation: str) -> set[str]:
        """The people whose sockets on this process hear the conversation."""

    @abstractmethod
    def committed(self, conversation: str) -> Snapshot:
        """What the database holds, committed."""

    @abstractmethod
    def logged(self) -> set[str]:
        """The ids of the sends in the message log."""

    @abstractmethod
    def hot_positions(self, conversation: str) -> list[int]:
        """The positions whose events the hot history holds."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what the system holds."""
