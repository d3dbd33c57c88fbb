"""What a direct write must pass that has not been through an accept: the checks of ``lua/accept.lua``, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.domain.batches import Outcome, Submission
from app.kernel import json
from app.kernel.errors import Conflict, DomainError, NotFound, OutOfOrder
from app.kernel.events import Sender
from app.kernel.ids import message_id
from app.models import Transaction
from app.models.arrays import array

ID_LENGTH = 36

# One question for all that a batch must know, for each costs a round trip while the conversations are held. They are locked
# in the order of their ids; what follows is as of after that: where they stand, which ids are committed and where, which of
# the senders are members there, and how the senders are shown (migrations/versions/0036_batches.py).
OPEN = text(
    "SELECT * FROM parley_open_batch(:turn, CAST(:targets AS uuid[]), CAST(:asked AS uuid[]), CAST(:rooms AS uuid[]),"
    " CAST(:members AS uuid[]), CAST(:people AS uuid[]))"
)


class Busy(Exception):
    """Another process has the turn to commit alone; two at once would do the work twice, and nothing else."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database knows of a batch: heads of its conversations, which are held now; committed ids and their
    conversations; memberships; and the senders as shown.
    """

    heads: dict[str, int]
    known: dict[str, str]
    members: set[str]  # conversation id, a space, profile id
    people: dict[str, Sender]


def open_batch(tx: Transaction, submissions: Sequence[Submission], *, turn: int | None) -> Standing:
    """Hold the conversations of a batch, and find out about messages, those named as the ones before them, and senders.

    With ``turn`` (a lock's number) it raises Busy where somebody else has that turn.
    """
    asked = [s.event["id"] for s in submissions]
    asked += [_before(s) for s in submissions if s.after]
    gated = [s.event for s in submissions if s.gated]
    values = {
        "turn": turn,
        "targets": array({s.event["conversationId"] for s in submissions}),
        "asked": array(asked),
        "rooms": array(event["conversationId"] for event in gated),
        "members": array(event["senderId"] for event in gated),
        "people": array({s.event["senderId"] for s in submissions}),
    }
    row = tx.execute(OPEN, values).one()
    if row.heads is None:
        raise Busy
    return Standing(
        heads={one[:ID_LENGTH]: int(one[ID_LENGTH:]) for one in row.heads},
        known={one[:ID_LENGTH]: one[ID_LENGTH + 1 :] for one in row.known},
        members=set(row.standing),
        people=json.loads(row.senders) if row.senders else {},
    )


def pick(
    submissions: Sequence[Submission], found: Standing, outcome: Outcome
) -> tuple[list[Submission], list[Submission]]:
    """Pick what is new and may be written, and what belongs nowhere; the order of the checks is that of ``lua/accept.lua``."""
    earlier = set(found.known)
    fresh: list[Submission] = []
    lost: list[Submission] = []
    for s in submissions:
        own_id, target = s.event["id"], s.event["conversationId"]
        refusal = _refusal(s, found, earlier) if s.gated else None
        if refusal:
            outcome.refused[own_id] = refusal
        elif own_id in found.known:
            pass  # a repetition
        elif target not in found.heads:
            lost.append(s)
        elif not s.gated and not _comes_next(s, earlier):
            pass  # accepted, and safe in the log
        else:
            fresh.append(s)
            earlier.add(own_id)
    return fresh, lost


def _refusal(s: Submission, found: Standing, earlier: set[str]) -> DomainError | None:
    own_id, target = s.event["id"], s.event["conversationId"]
    if own_id in found.known:
        is_same = found.known[own_id] == target
        return None if is_same else Conflict("This clientMessageId was used for another conversation.")
    if f"{target} {s.event['senderId']}" not in found.members:
        return NotFound("The conversation")
    return None if _comes_next(s, earlier) else OutOfOrder()


def _comes_next(s: Submission, earlier: set[str]) -> bool:
    return s.after is None or _before(s) in earlier


def _before(s: Submission) -> str:
    """Give the id of the message that a sender named as the one before."""
    return str(message_id(UUID(s.event["senderId"]), s.after)) if s.after else ""
