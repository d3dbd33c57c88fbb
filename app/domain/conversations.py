"""Conversations: making, finding, changing and ending them."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.domain import membership_news, memberships, support
from app.domain.access import member_of, require_moderator
from app.kernel import ids
from app.kernel.actor import SYSTEM, Actor
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.kernel.fields import SLUG
from app.kernel.requests import CreateConversation, PatchConversation, SendMessage, Settings
from app.models import Conversation, transaction
from app.queries import conversations as views, people

DIRECT = text("SELECT id FROM conversations WHERE direct_low = :low AND direct_high = :high")
BY_SLUG = text("SELECT id FROM conversations WHERE slug = :slug AND deleted_at IS NULL")
KIND = text("SELECT kind FROM conversations WHERE id = :id")
PATCH = text(
    "UPDATE conversations SET title = :title, topic = :topic, slug = :slug, visibility = :visibility,"
    " version = version + 1, updated_at = :now WHERE id = :id"
)
FIELDS = text("SELECT title, topic, slug, visibility FROM conversations WHERE id = :id")
END = text(
    "UPDATE conversations SET deleted_at = :now, updated_at = :now, version = version + 1, slug = CASE WHEN kind = 'room'"
    " THEN 'deleted-' || left(replace(id::text, '-', ''), 30) END WHERE id = :id"
)
SETTINGS = text(
    "UPDATE memberships SET muted = COALESCE(:muted, muted), archived = COALESCE(:archived, archived),"
    " pinned = COALESCE(:pinned, pinned), notifications = COALESCE(:notifications, notifications)"
    " WHERE conversation_id = :id AND profile_id = :me"
)
View = dict[str, Any]


def create(actor: Actor, *, request: CreateConversation, now: datetime) -> tuple[View, bool]:
    """Make a conversation; gives (what its maker sees, whether it is new). A direct one exists once for a pair."""
    if actor.kind == "customer":
        conversation_id, is_new = _for_customer(actor, request, now)
        return get(actor, conversation_id=conversation_id), is_new
    _check_shape(request)
    if actor.kind == "bot" and request.kind != "direct":
        raise Forbidden("A bot takes part where somebody adds it; it makes direct conversations only.")
    if request.kind == "direct":
        conversation_id, is_new = direct_with(actor, username=request.username or "", now=now)
    else:
        conversation_id, is_new = _create_shared(actor, request, now), True
    return get(actor, conversation_id=conversation_id), is_new


def _for_customer(actor: Actor, request: CreateConversation, now: datetime) -> tuple[UUID, bool]:
    if request.kind != "support":
        raise Forbidden("A customer may only open a support conversation.")
    wrong = sorted(request.model_fields_set - {"kind", "title"})
    if wrong:
        raise Invalid({to_camel(name): ["does not belong to a support conversation"] for name in wrong})
    return support.open_for(actor, title=request.title, now=now)


def _check_shape(request: CreateConversation) -> None:
    wrong: dict[str, list[str]] = {}
    if request.kind == "support":
        raise Invalid({"kind": ["support conversations are opened by customers"]})
    needed = {"direct": "username", "group": "title", "room": "slug"}[request.kind]
    if needed != "title" and getattr(request, needed) is None:
        wrong[needed] = [f"is required for a {request.kind}"]
    allowed = {
        "direct": {"username"},
        "group": {"title", "topic", "members"},
        "room": {"title", "topic", "slug", "members", "visibility"},
    }[request.kind]
    for name in ("username", "title", "topic", "slug", "members", "visibility"):
        is_given = getattr(request, name) is not None and not (name == "visibility" and request.visibility == "private")
        if name not in allowed and is_given:
            wrong[name] = [f"does not belong to a {request.kind}"]
    if wrong:
        raise Invalid(wrong)


def direct_with(actor: Actor, *, username: str, now: datetime) -> tuple[UUID, bool]:
    """Find or make the one conversation of this pair; raises NotFound or Invalid (with oneself)."""
    with transaction(actor) as tx:
        other = people.by_username(tx, username)
    if other is None:
        raise NotFound("The person")
    if other["id"] == str(actor.id):
        raise Invalid({"username": ["must be somebody else"]})
    low, high = sorted([actor.id, UUID(other["id"])])
    with transaction(SYSTEM) as tx:
        found = tx.execute(DIRECT, {"low": low, "high": high}).scalar_one_or_none()
    if found is not None:
        return found, False
    try:
        return _create_direct(actor, low, high, now), True
    except IntegrityError:  # the other one made it at the same moment
        return direct_with(actor, username=username, now=now)


def _create_direct(actor: Actor, low: UUID, high: UUID, now: datetime) -> UUID:
    with transaction(SYSTEM) as tx:
        made = _new(actor, "direct", now, direct_low=low, direct_high=high)
        tx.add(made)
        memberships.enroll(tx, made.id, {low: "member", high: "member"}, now=now)
        return made.id


def _create_shared(actor: Actor, request: CreateConversation, now: datetime) -> UUID:
    fields = {"title": request.title, "topic": request.topic, "slug": request.slug}
    made = _new(actor, request.kind, now, **fields, visibility=request.visibility or _usual_visibility(request.kind))
    try:
        with transaction(SYSTEM) as tx:
            tx.add(made)
            invited = memberships.find_people(tx, request.members or [])
            roles = {**dict.fromkeys(invited, "member"), actor.id: "owner"}
            memberships.enroll(tx, made.id, roles, now=now)
    except IntegrityError as error:
        raise Conflict("This slug is taken.", fields={"slug": ["is taken"]}) from error
    return made.id


def _usual_visibility(kind: str) -> str:
    return "public" if kind == "room" else "private"


def _new(actor: Actor, kind: str, now: datetime, **fields: Any) -> Conversation:
    values = {"visibility": "private", **fields}
    return Conversation(
        id=ids.new_id(), kind=kind, head_seq=0, version=1, member_count=0, created_by=actor.id,
        created_at=now, updated_at=now, active_at=now, **values,
    )  # fmt: skip


def get(actor: Actor, *, conversation_id: UUID) -> View:
    """Read a conversation as this actor sees it; raises NotFound."""
    with transaction(actor, snapshot=True) as tx:
        found = views.one(tx, conversation_id)
    if found is None:
        raise NotFound("The conversation")
    return found


def patch(actor: Actor, *, conversation_id: UUID, request: PatchConversation, now: datetime) -> View:
    """Change a group's or room's face; moderators only."""
    try:
        with transaction(actor) as tx:
            member = member_of(tx, actor, conversation_id, lock=True)
            require_moderator(member, "change it")
            _check_patch(member.kind, request)
            before = tx.execute(FIELDS, {"id": conversation_id}).one()._asdict()
            given = request.model_dump(exclude_unset=True)
            if any(before[name] != value for name, value in given.items()):
                tx.change(PATCH, {**before, **given, "id": conversation_id, "now": now})
                membership_news.tell_members(tx, conversation_id)
    except IntegrityError as error:
        raise Conflict("This slug is taken.", fields={"slug": ["is taken"]}) from error
    return get(actor, conversation_id=conversation_id)


def _check_patch(kind: str, request: PatchConversation) -> None:
    allowed = {"group": {"title", "topic"}, "room": {"title", "topic", "slug", "visibility"}}.get(kind, set())
    wrong = {name: [f"does not belong to a {kind} conversation"] for name in request.model_fields_set - allowed}
    if wrong:
        raise Invalid(wrong)


def end(actor: Actor, *, conversation_id: UUID, now: datetime) -> None:
    """End a group or room, softly: nothing that was accepted for it loses its place. Owners only."""
    with transaction(actor) as tx:
        member = member_of(tx, actor, conversation_id, lock=True)
        if member.kind not in ("group", "room"):
            raise Forbidden(f"A {member.kind} conversation cannot be deleted.")
        if member.role != "owner":
            raise Forbidden("Only an owner may delete the conversation.")
        with tx.elevated():
            tx.change(END, {"id": conversation_id, "now": now})
            memberships.everybody_leaves(tx, conversation_id)


def configure(actor: Actor, *, conversation_id: UUID, request: Settings) -> View:
    """Change what is mine alone: mute, archive, pin, notifications."""
    with transaction(actor) as tx:
        member_of(tx, actor, conversation_id)
        wanted = {name: getattr(request, name) for name in ("muted", "archived", "pinned", "notifications")}
        tx.change(SETTINGS, {**wanted, "id": conversation_id, "me": actor.id})
        membership_news.tell(tx, conversation_id, [actor.id])
    return get(actor, conversation_id=conversation_id)


# where a message goes -------------------------------------------------------------------------------------------------
def resolve(actor: Actor, *, request: SendMessage, now: datetime) -> UUID:
    """Find the conversation that a send names; raises NotFound, or Invalid where it names none."""
    if request.conversation_id is not None:
        if actor.kind == "customer":
            support.customer_writes(actor, conversation_id=request.conversation_id, now=now)
        return request.conversation_id
    if request.room_id is not None:
        return by_room_ref(request.room_id)
    if actor.kind == "customer":
        if request.recipient_username is not None:
            raise Forbidden("A customer may only write to the staff.")
        return support.open_for(actor, title=None, now=now)[0]
    if request.recipient_username is not None:
        return direct_with(actor, username=request.recipient_username, now=now)[0]
    raise Invalid({"conversationId": ["name a conversationId, a roomId or a recipientUsername"]})


def by_room_ref(room_ref: str) -> UUID:
    """Find a conversation by its id, or a room by its slug; raises NotFound. Whether the actor may is not asked here."""
    as_id = ids.parse_id(room_ref)
    if as_id is not None:
        return as_id
    if not SLUG.fullmatch(room_ref):
        raise NotFound("The conversation")
    with transaction(SYSTEM) as tx:
        found: UUID | None = tx.execute(BY_SLUG, {"slug": room_ref}).scalar_one_or_none()
    if found is None:
        raise NotFound("The conversation")
    return found


def sender_type(actor: Actor, conversation_id: UUID) -> str:
    """Tell what kind of sender the actor is in a conversation: staff only where customers are served."""
    if actor.kind in ("customer", "bot", "system"):
        return actor.kind
    if actor.is_staff and _kind(conversation_id) == "support":
        return "staff"
    return "user"


@lru_cache(maxsize=10_000)
def _kind(conversation_id: UUID) -> str:
    with transaction(SYSTEM) as tx:
        return tx.execute(KIND, {"id": conversation_id}).scalar_one_or_none() or ""


def mine(
    actor: Actor, *, kind: str | None, archived: bool | None, limit: int, after: tuple[datetime, UUID] | None
) -> tuple[list[View], tuple[datetime, UUID] | None]:
    """List one's conversations, the most recently active first, with the place where the next page begins."""
    with transaction(actor, snapshot=True) as tx:
        return views.mine(tx, kind=kind, archived=archived, limit=limit, after=after)


def public_rooms(actor: Actor, *, q: str, limit: int, after: str) -> tuple[list[View], str | None]:
    """List the rooms that anyone may join."""
    with transaction(actor) as tx:
        return views.public_rooms(tx, q=q, limit=limit, after=after)
