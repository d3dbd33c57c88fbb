"""Who is in a conversation. A change travels by NOTIFY inside its transaction and is carried out on every process."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from app.domain import membership_news
from app.domain.access import Member, member_of, require_moderator
from app.kernel import limits
from app.kernel.actor import SYSTEM, Actor
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.models import Transaction, transaction
from app.queries import conversations as views

PEOPLE = text(
    "SELECT id, lower(username) AS username FROM profiles"
    " WHERE lower(username) = ANY(CAST(:names AS text[])) AND disabled_at IS NULL"
)
ENROLL = text(
    "INSERT INTO memberships (conversation_id, profile_id, role, joined_at, history_from_seq, read_seq, received_seq)"
    " SELECT c.id, joining.id, joining.role, :now, CASE WHEN c.kind = 'group' THEN c.head_seq ELSE 0 END,"
    " start.seq, start.seq FROM unnest(CAST(:conversations AS uuid[]), CAST(:ids AS uuid[]), CAST(:roles AS text[]))"
    "   AS joining(conversation_id, id, role) JOIN conversations c ON c.id = joining.conversation_id,"
    " LATERAL (SELECT CASE WHEN c.kind = 'support' THEN 0 ELSE c.head_seq END AS seq) AS start"
    " ON CONFLICT (conversation_id, profile_id) DO UPDATE SET left_at = NULL,"
    " role = excluded.role, joined_at = excluded.joined_at, history_from_seq = excluded.history_from_seq,"
    " read_seq = excluded.read_seq, received_seq = excluded.received_seq WHERE memberships.left_at IS NOT NULL"
    " RETURNING conversation_id, profile_id"
)
LOCK = text("SELECT 1 FROM conversations WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE")
LEAVE = text(
    "UPDATE memberships SET left_at = :now WHERE conversation_id = ANY(CAST(:ids AS uuid[])) AND profile_id = :profile_id"
    " AND left_at IS NULL RETURNING conversation_id"
)
COUNT = text(
    "UPDATE conversations SET version = version + 1, updated_at = clock_timestamp(), member_count = (SELECT count(*)"
    " FROM memberships m WHERE m.conversation_id = conversations.id AND m.left_at IS NULL)"
    " WHERE id = ANY(CAST(:ids AS uuid[])) RETURNING member_count, kind"
)
ROLE = text("SELECT role FROM memberships WHERE conversation_id = :c AND profile_id = :p AND left_at IS NULL")
SET_ROLE = text("UPDATE memberships SET role = :role WHERE conversation_id = :c AND profile_id = :p")
OWNERS = text(
    "SELECT count(*) FILTER (WHERE role = 'owner') AS owners,"
    " (array_agg(profile_id ORDER BY role = 'admin' DESC, joined_at) FILTER (WHERE role <> 'owner'))[1] AS heir"
    " FROM memberships WHERE conversation_id = :c AND left_at IS NULL"
)
ROOM = text(
    "SELECT kind, visibility FROM conversations WHERE id = :c AND deleted_at IS NULL AND kind = 'room'"
    " AND visibility = 'public' FOR NO KEY UPDATE"
)


class Joining(NamedTuple):
    """Somebody who is to become a member of a conversation, and as what."""

    conversation_id: UUID
    profile_id: UUID
    role: str


def find_people(tx: Transaction, usernames: Sequence[str]) -> list[UUID]:
    """Find people by username; raises Invalid naming those that are not there."""
    wanted = list(dict.fromkeys(name.lower() for name in usernames))
    found = {row.username: row.id for row in tx.execute(PEOPLE, {"names": wanted})} if wanted else {}
    missing = [name for name in wanted if name not in found]
    if missing:
        raise Invalid({"members": [f"names nobody: {name}" for name in missing[:5]]})
    return [found[name] for name in wanted]


def enroll(tx: Transaction, conversation_id: UUID, roles: Mapping[UUID, str], *, now: datetime) -> list[UUID]:
    """Make people members (those who are not yet), starting at the head; gives who joined."""
    joined = enroll_all(tx, [Joining(conversation_id, person, role) for person, role in roles.items()], now=now)
    return [profile_id for _, profile_id in joined]


def enroll_all(tx: Transaction, joining: Sequence[Joining], *, now: datetime) -> list[tuple[UUID, UUID]]:
    """Make people members of any conversations, in as many statements as for one; gives who joined what."""
    if not joining:
        return []
    values = {
        "conversations": [str(one.conversation_id) for one in joining],
        "ids": [str(one.profile_id) for one in joining],
        "roles": [one.role for one in joining],
        "now": now,
    }
    _lock(tx, {one.conversation_id for one in joining})
    joined = [(row.conversation_id, row.profile_id) for row in tx.execute(ENROLL, values)]
    _recount(tx, {conversation_id for conversation_id, _ in joined})
    membership_news.changed(tx, joined)
    return joined


def _lock(tx: Transaction, conversation_ids: Collection[UUID]) -> None:
    """Hold conversations until the commit, in the order in which everybody else takes them."""
    if conversation_ids:
        tx.execute(LOCK, {"ids": [str(one) for one in conversation_ids]})


def _recount(tx: Transaction, conversation_ids: Collection[UUID]) -> None:
    if not conversation_ids:
        return
    for counted in tx.execute(COUNT, {"ids": [str(one) for one in conversation_ids]}).all():
        most = limits.GROUP_MAX_MEMBERS if counted.kind == "group" else limits.ROOM_MAX_MEMBERS
        if counted.member_count > most:
            raise Conflict(f"A {counted.kind} has at most {most} members.")


def members(
    actor: Actor, *, conversation_id: UUID, limit: int, after: tuple[datetime, UUID] | None
) -> tuple[list[dict[str, Any]], tuple[datetime, UUID] | None]:
    """List the members, oldest first."""
    with transaction(actor) as tx:
        member_of(tx, actor, conversation_id)
        return views.members(tx, conversation_id, limit=limit, after=after)


def add(
    actor: Actor, *, conversation_id: UUID, username: str, role: str | None, now: datetime
) -> tuple[dict[str, Any], bool]:
    """Add someone to a group, or to a room one looks after; gives (the person, whether they are new)."""
    with transaction(SYSTEM) as tx:
        member = member_of(tx, actor, conversation_id, lock=True)
        person = _person(tx, username)
        if member.kind in ("direct", "support"):
            raise Forbidden(f"Nobody can be added to a {member.kind} conversation.")
        if role == "admin" or (member.visibility == "private" and member.kind == "room"):
            require_moderator(member, "do this")
        joined = enroll(tx, conversation_id, {person: role or "member"}, now=now)
        if not joined and role is not None and member.moderates:
            _appoint(tx, member, person, role)
        found = _as_member(tx, conversation_id, person)
    return found, bool(joined)


def _person(tx: Transaction, username: str) -> UUID:
    found = find_people_or_none(tx, username)
    if found is None:
        raise NotFound("The person")
    return found


def find_people_or_none(tx: Transaction, username: str) -> UUID | None:
    """Find one person by username."""
    row = tx.execute(PEOPLE, {"names": [username.lower()]}).one_or_none()
    return row.id if row else None


def _appoint(tx: Transaction, member: Member, person: UUID, role: str) -> None:
    held = tx.execute(ROLE, {"c": member.conversation_id, "p": person}).scalar_one_or_none()
    if held == role:
        return
    if held == "owner":
        raise Forbidden("An owner's role cannot be changed.")
    tx.change(SET_ROLE, {"c": member.conversation_id, "p": person, "role": role})
    _recount(tx, [member.conversation_id])
    membership_news.tell_members(tx, member.conversation_id)


def _as_member(tx: Transaction, conversation_id: UUID, profile_id: UUID) -> dict[str, Any]:
    row = tx.execute(
        text(
            "SELECT p.id, p.kind, p.username, p.display_name, p.avatar_url, me.role FROM memberships me"
            " JOIN profiles p ON p.id = me.profile_id WHERE me.conversation_id = :c AND p.id = :p"
        ),
        {"c": conversation_id, "p": profile_id},
    ).one()
    return views.participant(row)


def join(actor: Actor, *, conversation_id: UUID, now: datetime) -> bool:
    """Join a public room; tells whether that is new. Raises NotFound where there is no such room to be seen."""
    with transaction(SYSTEM) as tx:
        if tx.execute(ROLE, {"c": conversation_id, "p": actor.id}).one_or_none() is not None:
            member_of(tx, actor, conversation_id)
            return False
        if actor.kind != "user" or tx.execute(ROOM, {"c": conversation_id}).one_or_none() is None:
            raise NotFound("The conversation")
        return bool(enroll(tx, conversation_id, {actor.id: "member"}, now=now))


def leave(actor: Actor, *, conversation_id: UUID, now: datetime) -> None:
    """Leave a group or room. The last owner's place goes to an admin, else to the oldest member."""
    with transaction(SYSTEM) as tx:
        member = member_of(tx, actor, conversation_id, lock=True)
        if member.kind in ("direct", "support"):
            raise Forbidden(f"A {member.kind} conversation cannot be left; archive it instead.")
        _end_membership(tx, conversation_id, actor.id, now)


def remove(actor: Actor, *, conversation_id: UUID, profile_id: UUID, now: datetime) -> None:
    """Take someone out of a group or room; moderators only, owners only by themselves."""
    if profile_id == actor.id:
        leave(actor, conversation_id=conversation_id, now=now)
        return
    with transaction(SYSTEM) as tx:
        member = member_of(tx, actor, conversation_id, lock=True)
        role = tx.execute(ROLE, {"c": conversation_id, "p": profile_id}).scalar_one_or_none()
        if role is None:
            raise NotFound("The member")
        if member.kind in ("direct", "support"):
            raise Forbidden(f"Nobody can be removed from a {member.kind} conversation.")
        require_moderator(member, "remove members")
        if role == "owner" or (role == "admin" and member.role != "owner"):
            raise Forbidden("Only an owner may remove an admin, and nobody an owner.")
        _end_membership(tx, conversation_id, profile_id, now)


def end_all(tx: Transaction, profile_id: UUID, conversation_ids: Collection[UUID], *, now: datetime) -> None:
    """End somebody's memberships of conversations that have no owner, in as many statements as for one."""
    _lock(tx, conversation_ids)
    _end(tx, profile_id, conversation_ids, now)


def _end_membership(tx: Transaction, conversation_id: UUID, profile_id: UUID, now: datetime) -> None:
    _end(tx, profile_id, [conversation_id], now)
    standing = tx.execute(OWNERS, {"c": conversation_id}).one()
    if standing.owners == 0 and standing.heir is not None:
        tx.change(SET_ROLE, {"c": conversation_id, "p": standing.heir, "role": "owner"})


def _end(tx: Transaction, profile_id: UUID, conversation_ids: Collection[UUID], now: datetime) -> None:
    values = {"ids": [str(one) for one in conversation_ids], "profile_id": profile_id, "now": now}
    left = [row.conversation_id for row in tx.execute(LEAVE, values)]
    _recount(tx, left)
    membership_news.changed(tx, [(conversation_id, profile_id) for conversation_id in left], ended=True)


def everybody_leaves(tx: Transaction, conversation_id: UUID) -> None:
    """Carry out, on every process, that a conversation has ended (its members stay on record)."""
    membership_news.changed(tx, membership_news.everybody(tx, [conversation_id]), ended=True)
