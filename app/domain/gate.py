"""What a direct write must pass that has not been through an accept: the checks of ``lua/accept.lua``, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.domain.batches import Outcome, Submission
from app.kernel.errors import Conflict, DomainError, NotFound, OutOfOrder
from app.kernel.events import Sender
from app.kernel.ids import message_id
from app.models import Transaction
from app.models.arrays import array

# One question for all that a batch must know, for each costs a round trip while the conversations are held: which ids are
# committed and where, which of the senders are members there, and how the senders are shown.
STANDING = text(
    "SELECT ARRAY(SELECT m.id || ' ' || m.conversation_id FROM messages m WHERE m.id = ANY(CAST(:ids AS uuid[]))) AS known,"
    " ARRAY(SELECT me.conversation_id || ' ' || me.profile_id FROM memberships me"
    " JOIN conversations c ON c.id = me.conversation_id"
    " JOIN unnest(CAST(:conversations AS uuid[]), CAST(:senders AS uuid[])) AS asked(conversation_id, profile_id)"
    " USING (conversation_id, profile_id) WHERE me.left_at IS NULL AND c.deleted_at IS NULL) AS members,"
    " (SELECT json_object_agg(p.id, json_build_object('id', p.id, 'username', p.username, 'displayName', p.display_name,"
    " 'avatarUrl', p.avatar_url)) FROM profiles p WHERE p.id = ANY(CAST(:people AS uuid[]))) AS people"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database knows of a batch: committed ids and their conversations, memberships, and the senders as shown."""

    known: dict[str, str]
    members: set[str]  # conversation id, a space, profile id
    people: dict[str, Sender]


def standing(tx: Transaction, submissions: Sequence[Submission]) -> Standing:
    """Find out about messages, about those named as the ones before them, and about their senders."""
    ids = [s.event["id"] for s in submissions]
    ids += [_before(s) for s in submissions if s.after]
    gated = [s.event for s in submissions if s.gated]
    asked = {
        "ids": array(ids),
        "conversations": array(event["conversationId"] for event in gated),
        "senders": array(event["senderId"] for event in gated),
        "people": array({s.event["senderId"] for s in submissions}),
    }
    row = tx.execute(STANDING, asked).one()
    return Standing(dict(one.split(" ") for one in row.known), set(row.members), row.people or {})


def pick(
    submissions: Sequence[Submission], heads: dict[str, int], found: Standing, outcome: Outcome
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
        elif target not in heads:
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
