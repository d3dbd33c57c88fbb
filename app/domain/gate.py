"""What a direct write must pass that has not been through an accept: the checks of ``lua/accept.lua``, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from app.domain.batches import Outcome, Submission
from app.kernel.errors import Conflict, DomainError, NotFound, OutOfOrder
from app.kernel.ids import message_id
from app.models import Transaction

KNOWN = text("SELECT id, conversation_id FROM messages WHERE id = ANY(CAST(:ids AS uuid[]))")
MEMBERS = text(
    "SELECT me.conversation_id, me.profile_id FROM memberships me JOIN conversations c ON c.id = me.conversation_id"
    " JOIN unnest(CAST(:conversations AS uuid[]), CAST(:senders AS uuid[])) AS asked(conversation_id, profile_id)"
    " USING (conversation_id, profile_id) WHERE me.left_at IS NULL AND c.deleted_at IS NULL"
)


def known(tx: Transaction, submissions: Sequence[Submission]) -> dict[UUID, UUID]:
    """Find which of these messages, and of those named as the ones before, are committed: their conversations by id."""
    ids = [s.event["id"] for s in submissions]
    ids += [str(message_id(UUID(s.event["senderId"]), s.after)) for s in submissions if s.after]
    return {row.id: row.conversation_id for row in tx.execute(KNOWN, {"ids": ids})}


def pick(
    tx: Transaction,
    submissions: Sequence[Submission],
    heads: dict[UUID, int],
    committed: dict[UUID, UUID],
    outcome: Outcome,
) -> tuple[list[Submission], list[Submission]]:
    """Pick what is new and may be written, and what belongs nowhere; the order of the checks is that of ``lua/accept.lua``."""
    members = _members(tx, [s for s in submissions if s.gated])
    earlier: set[UUID] = set(committed)
    fresh: list[Submission] = []
    lost: list[Submission] = []
    for s in submissions:
        own_id, target = UUID(s.event["id"]), UUID(s.event["conversationId"])
        refusal = _refusal(s, own_id, target, committed, members, earlier)
        if own_id in committed:
            if refusal and s.gated:
                outcome.refused[s.event["id"]] = refusal
        elif refusal and s.gated:
            outcome.refused[s.event["id"]] = refusal
        elif target not in heads:
            lost.append(s)
        elif not s.gated and not _comes_next(s, earlier):
            pass  # accepted, and safe in the log
        else:
            fresh.append(s)
            earlier.add(own_id)
    return fresh, lost


def _refusal(
    s: Submission,
    own_id: UUID,
    target: UUID,
    known: dict[UUID, UUID],
    members: set[tuple[UUID, UUID]],
    earlier: set[UUID],
) -> DomainError | None:
    if own_id in known:
        return None if known[own_id] == target else Conflict("This clientMessageId was used for another conversation.")
    if (target, UUID(s.event["senderId"])) not in members:
        return NotFound("The conversation")
    return None if _comes_next(s, earlier) else OutOfOrder()


def _comes_next(s: Submission, earlier: set[UUID]) -> bool:
    return s.after is None or message_id(UUID(s.event["senderId"]), s.after) in earlier


def _members(tx: Transaction, submissions: Sequence[Submission]) -> set[tuple[UUID, UUID]]:
    if not submissions:
        return set()
    asked = {
        "conversations": [s.event["conversationId"] for s in submissions],
        "senders": [s.event["senderId"] for s in submissions],
    }
    return {(row.conversation_id, row.profile_id) for row in tx.execute(MEMBERS, asked)}
