"""The only door to a conversation: an actor is authorised by finding the membership."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.kernel.actor import Actor
from app.kernel.errors import Forbidden, NotFound
from app.models import Transaction

MEMBER = (
    "SELECT c.id, c.kind, c.slug, c.visibility, c.head_seq, c.version, c.member_count, me.role, me.read_seq,"
    " me.received_seq, me.history_from_seq FROM memberships me JOIN conversations c ON c.id = me.conversation_id"
    " WHERE me.conversation_id = :conversation_id AND me.profile_id = :me AND me.left_at IS NULL AND c.deleted_at IS NULL"
)
ENROLL_STAFF = text(
    "INSERT INTO memberships (conversation_id, profile_id, role, joined_at) SELECT id, :me, 'admin', clock_timestamp()"
    " FROM conversations WHERE id = :c AND kind = 'support' AND deleted_at IS NULL"
    " AND EXISTS (SELECT 1 FROM users WHERE profile_id = :me AND role IN ('staff', 'admin') FOR SHARE)"
    " ON CONFLICT (conversation_id, profile_id) DO UPDATE SET left_at = NULL WHERE memberships.left_at IS NOT NULL"
)
FIND = text(MEMBER)
FIND_AND_LOCK = text(MEMBER + " FOR NO KEY UPDATE OF c")


@dataclass(frozen=True, slots=True)
class Member:
    """A membership that was found, with what the rules ask of its conversation."""

    conversation_id: UUID
    profile_id: UUID
    kind: str
    slug: str | None
    visibility: str
    head_seq: int
    version: int
    member_count: int
    role: str
    read_seq: int
    received_seq: int
    history_from_seq: int

    @property
    def moderates(self) -> bool:
        """Tell whether this member looks after the conversation."""
        return self.role in ("owner", "admin")


def member_of(tx: Transaction, actor: Actor, conversation_id: UUID, *, lock: bool = False) -> Member:
    """Find the actor's membership; raises NotFound. With ``lock`` the conversation is held until the commit."""
    found = tx.execute(
        FIND_AND_LOCK if lock else FIND, {"conversation_id": conversation_id, "me": actor.id}
    ).one_or_none()
    if found is None and actor.is_staff and _enroll_staff(tx, actor, conversation_id):
        return member_of(tx, actor, conversation_id, lock=lock)
    if found is None:
        raise NotFound("The conversation")
    return Member(profile_id=actor.id, conversation_id=found.id, **_rest(found))


def _enroll_staff(tx: Transaction, actor: Actor, conversation_id: UUID) -> bool:
    """Make a member of staff a member of a support conversation that is older than their role."""
    with tx.elevated():
        return bool(tx.change(ENROLL_STAFF, {"c": conversation_id, "me": actor.id}))


def _rest(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row._asdict().items() if name != "id"}


def require_moderator(member: Member, doing: str) -> None:
    """Refuse a member who does not look after the conversation; raises Forbidden."""
    if not member.moderates:
        raise Forbidden(f"Only an owner or admin of the conversation may {doing}.")
