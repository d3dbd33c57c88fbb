"""Customer support: a customer's conversation, the staff's inbox. Staff are members of every support conversation."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from app.domain import membership_news, memberships
from app.domain.access import member_of
from app.domain.customers import require_staff
from app.domain.memberships import Joining
from app.kernel import ids
from app.kernel.actor import SYSTEM, Actor
from app.kernel.chunks import chunks
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
IS_RESOLVED = text("SELECT 1 FROM conversations WHERE id = :id AND customer_id = :me AND status = 'resolved'")
IS_SUPPORT = text("SELECT 1 FROM conversations WHERE id = :id AND kind = 'support' AND deleted_at IS NULL")
PATCH = text(
    "UPDATE conversations SET status = COALESCE(:status, status), assignee_id = CASE WHEN :assigns THEN"
    " CAST(:assignee AS uuid) ELSE assignee_id END, version = version + 1, updated_at = clock_timestamp() WHERE id = :id"
)
# By the partial indexes of support conversations and of staff; {which} narrows it.
ABSENT = (
    "SELECT c.id, u.profile_id FROM conversations c CROSS JOIN users u WHERE c.kind = 'support' AND c.deleted_at IS NULL"
    " AND u.role IN ('staff', 'admin') AND {which} AND NOT EXISTS (SELECT 1 FROM memberships m"
    "   WHERE m.conversation_id = c.id AND m.profile_id = u.profile_id AND m.left_at IS NULL) LIMIT :limit"
)
UNRESOLVED = "c.status IN ('open', 'pending')"
ABSENT_ANYWHERE = text(ABSENT.replace("{which}", UNRESOLVED))
ABSENT_HERE = text(ABSENT.replace("{which}", "c.id = :c"))
WHERE_ABSENT = text(ABSENT.replace("{which}", f"{UNRESOLVED} AND u.profile_id = :person"))
JOINED = text(
    "SELECT c.id FROM conversations c JOIN memberships m ON m.conversation_id = c.id WHERE c.kind = 'support'"
    " AND m.profile_id = :id AND m.left_at IS NULL"
)
STAFF_CHANGES = text("SELECT pg_advisory_xact_lock(hashtextextended('staff', 0))")
STAFF_STAYS = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('staff', 0))")
AT_ONCE = 1_000


PAGE = text(
    "SELECT c.id, c.active_at, EXISTS (SELECT 1 FROM memberships m WHERE m.conversation_id = c.id AND m.profile_id = :me"
    "   AND m.left_at IS NULL) AS is_in FROM conversations c WHERE c.kind = 'support' AND c.deleted_at IS NULL"
    " AND (CAST(:status AS text) IS NULL OR c.status = :status)"
    " AND (CAST(:assignee AS uuid) IS NULL OR c.assignee_id = :assignee)"
    " AND (CAST(:at AS timestamptz) IS NULL OR (c.active_at, c.id) < (:at, CAST(:id AS uuid)))"
    " ORDER BY c.active_at DESC, c.id DESC LIMIT :limit"
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
        tx.execute(STAFF_STAYS)
        staff = [row.profile_id for row in tx.execute(STAFF)]
        memberships.enroll(tx, made.id, {customer.id: "member", **dict.fromkeys(staff, "admin")}, now=now)
        return made.id, True


def customer_writes(customer: Actor, *, conversation_id: UUID, now: datetime) -> None:
    """Put the staff who came after a conversation was resolved into it: the customer is about to open it again.

    With the database away nobody is put in; they find it in the inbox.
    """
    try:
        with transaction(SYSTEM) as tx:
            if tx.execute(IS_RESOLVED, {"id": conversation_id, "me": customer.id}).one_or_none() is not None:
                _join_absent(tx, ABSENT_HERE, {"c": conversation_id}, now=now)
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
        absent = [row.id for row in tx.execute(PAGE, values).all() if not row.is_in]
        tx.execute(STAFF_STAYS)
        if tx.execute(IS_STAFF, {"id": actor.id}).one_or_none() is not None:  # the credential may be a second behind
            memberships.enroll_all(tx, [Joining(one, actor.id, "admin") for one in absent], now=now)
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
        if request.status not in (None, "resolved"):
            _join_absent(tx, ABSENT_HERE, {"c": conversation_id}, now=now)
        membership_news.tell_members(tx, conversation_id)
    with transaction(actor, snapshot=True) as tx:
        return views.one(tx, conversation_id) or {}


def _check_assignee(tx: Transaction, assignee_id: UUID | None) -> None:
    if assignee_id is not None and tx.execute(IS_STAFF, {"id": assignee_id}).one_or_none() is None:
        raise Invalid({"assigneeId": ["names nobody on the staff"]})


def staff_changed(tx: Transaction, profile_id: UUID, *, is_staff: bool, now: datetime) -> None:
    """Put someone into the unresolved support conversations, or out of all, as their role says.

    Out of all at once: they may see none from here on. Into the first thousand, and into any others by ``join_staff``.
    """
    if is_staff:
        _join_absent(tx, WHERE_ABSENT, {"person": profile_id}, now=now)
        return
    joined = [row.id for row in tx.execute(JOINED, {"id": profile_id})]
    for some in chunks(sorted(joined), AT_ONCE):
        memberships.end_all(tx, profile_id, some, now=now)


def hold_staff(tx: Transaction) -> None:
    """Let nobody put staff into conversations until the commit: who is on the staff is about to change."""
    tx.execute(STAFF_CHANGES)


def join_staff(*, now: datetime) -> int:
    """Put all staff into the unresolved support conversations that they are not in, a thousand at a time; gives how many.

    Twice does no more than once.
    """
    done = 0
    while True:
        with transaction(SYSTEM) as tx:
            joined = _join_absent(tx, ABSENT_ANYWHERE, {}, now=now)
        done += joined
        if joined < AT_ONCE:
            return done


def _join_absent(tx: Transaction, absent: TextClause, values: dict[str, Any], *, now: datetime) -> int:
    """Put in those staff who a statement says are missing; gives how many."""
    tx.execute(STAFF_STAYS)
    joining = [Joining(row.id, row.profile_id, "admin") for row in tx.execute(absent, {**values, "limit": AT_ONCE})]
    return len(memberships.enroll_all(tx, joining, now=now))
