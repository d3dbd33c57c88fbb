"""Customer support: a customer's conversation, the staff's inbox. Staff are members of every support conversation."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain import memberships
from app.domain.access import member_of
from app.domain.customers import require_staff
from app.kernel import ids
from app.kernel.actor import SYSTEM, Actor
from app.kernel.errors import Invalid, NotFound, Unavailable
from app.kernel.requests import PatchSupport
from app.models import Conversation, Transaction, transaction
from app.queries import conversations as views

LOCK_CUSTOMER = text("SELECT 1 FROM customers WHERE profile_id = :id FOR UPDATE")
OPEN = text(
    "SELECT id FROM conversations WHERE customer_id = :id AND kind = 'support' AND status <> 'resolved'"
    " AND deleted_at IS NULL ORDER BY active_at DESC LIMIT 1"
)
STAFF = text("SELECT profile_id FROM users WHERE role IN ('staff', 'admin')")
IS_STAFF = text("SELECT 1 FROM users WHERE profile_id = :id AND role IN ('staff', 'admin')")
IS_SUPPORT = text("SELECT 1 FROM conversations WHERE id = :id AND kind = 'support' AND deleted_at IS NULL")
PATCH = text(
    "UPDATE conversations SET status = COALESCE(:status, status), assignee_id = CASE WHEN :assigns THEN"
    " CAST(:assignee AS uuid) ELSE assignee_id END, version = version + 1, updated_at = clock_timestamp() WHERE id = :id"
)
UNJOINED = text(
    "SELECT c.id FROM conversations c WHERE c.kind = 'support' AND c.status <> 'resolved' AND c.deleted_at IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.conversation_id = c.id AND m.profile_id = :id AND m.left_at IS NULL)"
    " LIMIT 5000"
)
JOINED = text(
    "SELECT c.id FROM conversations c JOIN memberships m ON m.conversation_id = c.id WHERE c.kind = 'support'"
    " AND m.profile_id = :id AND m.left_at IS NULL"
)


PAGE = text(
    "SELECT c.id, c.active_at, EXISTS (SELECT 1 FROM memberships m WHERE m.conversation_id = c.id AND m.profile_id = :me"
    "   AND m.left_at IS NULL) AS is_in FROM conversations c WHERE c.kind = 'support' AND c.deleted_at IS NULL"
    " AND (CAST(:status AS text) IS NULL OR c.status = :status)"
    " AND (CAST(:assignee AS uuid) IS NULL OR c.assignee_id = :assignee)"
    " AND (CAST(:at AS timestamptz) IS NULL OR (c.active_at, c.id) < (:at, CAST(:id AS uuid)))"
    " ORDER BY c.active_at DESC, c.id DESC LIMIT :limit"
)
ABSENT = text(
    "SELECT u.profile_id FROM users u JOIN conversations c ON c.id = :id AND c.customer_id = :me AND c.status = 'resolved'"
    " WHERE u.role IN ('staff', 'admin') AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.conversation_id = c.id"
    "   AND m.profile_id = u.profile_id AND m.left_at IS NULL)"
)


def open_for(customer: Actor, *, title: str | None, now: datetime) -> tuple[UUID, bool]:
    """Find or make the customer's open conversation; gives (its id, whether it is new)."""
    with transaction(SYSTEM) as tx:
        tx.execute(LOCK_CUSTOMER, {"id": customer.id})
        found = tx.execute(OPEN, {"id": customer.id}).scalar_one_or_none()
        if found is not None:
            return found, False
        made = Conversation(
            id=ids.new_id(),
            kind="support",
            title=title,
            visibility="private",
            head_seq=0,
            version=1,
            member_count=0,
            created_by=customer.id,
            created_at=now,
            updated_at=now,
            active_at=now,
            customer_id=customer.id,
            status="open",
        )
        tx.add(made)
        staff = [row.profile_id for row in tx.execute(STAFF)]
        memberships.enroll(tx, made.id, {customer.id: "member", **dict.fromkeys(staff, "admin")}, now=now)
        return made.id, True


def customer_writes(customer: Actor, *, conversation_id: UUID, now: datetime) -> None:
    """Put the staff who came after a conversation was resolved into it: the customer is about to open it again.

    With the database away nobody is put in; they find it in the inbox.
    """
    try:
        with transaction(SYSTEM) as tx:
            absent = [row.profile_id for row in tx.execute(ABSENT, {"id": conversation_id, "me": customer.id})]
            if absent:
                memberships.enroll(tx, conversation_id, dict.fromkeys(absent, "admin"), now=now)
    except Unavailable:
        pass


def inbox(
    actor: Actor,
    *,
    status: str | None,
    assignee: UUID | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
    now: datetime,
) -> tuple[list[dict[str, Any]], tuple[datetime, UUID] | None]:
    """List the support conversations, those too that were resolved before this member of staff came."""
    require_staff(actor)
    at, last_id = after or (None, None)
    values = {"me": actor.id, "status": status, "assignee": assignee, "at": at, "id": last_id, "limit": limit + 1}
    with transaction(SYSTEM) as tx:
        for row in tx.execute(PAGE, values).all():
            if not row.is_in:
                memberships.enroll(tx, row.id, {actor.id: "admin"}, now=now)
    with transaction(actor, snapshot=True) as tx:
        return views.inbox(tx, status=status, assignee=assignee, limit=limit, after=after)


def patch(actor: Actor, *, conversation_id: UUID, request: PatchSupport, now: datetime) -> dict[str, Any]:
    """Change a support conversation's status or whose it is; staff only."""
    with transaction(SYSTEM) as tx:
        if tx.execute(IS_SUPPORT, {"id": conversation_id}).one_or_none() is None:
            raise NotFound("The conversation")
        member_of(tx, actor, conversation_id, lock=True)
        require_staff(actor)
        _check_assignee(tx, request.assignee_id)
        assigns = "assignee_id" in request.model_fields_set
        values = {"id": conversation_id, "status": request.status, "assigns": assigns, "assignee": request.assignee_id}
        tx.change(PATCH, values)
        memberships.tell_members(tx, conversation_id)
    with transaction(actor, snapshot=True) as tx:
        return views.one(tx, conversation_id) or {}


def _check_assignee(tx: Transaction, assignee_id: UUID | None) -> None:
    if assignee_id is not None and tx.execute(IS_STAFF, {"id": assignee_id}).one_or_none() is None:
        raise Invalid({"assigneeId": ["names nobody on the staff"]})


def staff_changed(tx: Transaction, profile_id: UUID, *, is_staff: bool, now: datetime) -> None:
    """Put someone into every unresolved support conversation, or out of all, as their role says."""
    statement = UNJOINED if is_staff else JOINED
    for row in tx.execute(statement, {"id": profile_id}).all():
        if is_staff:
            memberships.enroll(tx, row.id, {profile_id: "admin"}, now=now)
        else:
            memberships.end(tx, row.id, profile_id, now=now)
