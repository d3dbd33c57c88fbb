"""A batch of messages to commit, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from app.kernel.errors import DomainError
from app.kernel.events import MessageEvent


@dataclass(frozen=True, slots=True)
class Submission:
    """A message to commit. A ``gated`` one has not been through an accept, so what that checks is checked here.

    ``after`` names the sender's send before it. Without that one a gated message is refused; any other, being accepted,
    is left where it is: its predecessor, accepted by another process, is still in the log, and so is it.
    """

    event: MessageEvent
    gated: bool = False
    after: UUID | None = None


@dataclass(slots=True)
class Outcome:
    """What became of a batch: finals in order of position and their texts, what was there before, and who was refused
    and why.
    """

    created: list[MessageEvent] = field(default_factory=list)
    encoded: list[bytes] = field(default_factory=list)
    roots: list[MessageEvent] = field(default_factory=list)
    already: list[MessageEvent] = field(default_factory=list)
    refused: dict[str, DomainError] = field(default_factory=dict)
    buried: list[MessageEvent] = field(default_factory=list)
    held: set[str] = field(
        default_factory=set
    )  # conversations of which somebody else holds a row: nothing was done there

    def take_in(self, other: Outcome) -> None:
        """Add what became of another batch."""
        self.created += other.created
        self.encoded += other.encoded
        self.roots += other.roots
        self.already += other.already
        self.refused |= other.refused
        self.buried += other.buried
        self.held |= other.held

    def final(self, wanted: str) -> MessageEvent | None:
        """Give the final event of a message by id, whoever committed it."""
        return next((e for e in [*self.created, *self.already] if e["id"] == wanted), None)
