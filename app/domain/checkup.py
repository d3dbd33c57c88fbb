"""What the doctor tries Parley with: a person and a conversation of its own, and nothing left of either."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from app.domain import conversations, drain, sessions
from app.kernel import ids
from app.kernel.actor import SYSTEM, Actor
from app.kernel.breaker import Down
from app.kernel.errors import Unavailable
from app.kernel.requests import CreateConversation
from app.live import hot, presence
from app.models import Profile, Transaction, User, transaction

# No account can be registered with such an address: it has no @.
ADDRESS = "the doctor of Parley "
NAME = "Parley's doctor"
LEFT_AFTER = timedelta(minutes=2)  # a checkup takes seconds: what is older belongs to one that was killed
LIFE_S = 120
FIND = text(
    "SELECT profile_id FROM users WHERE starts_with(email, :address) AND (profile_id = :id OR created_at < :before)"
)
FIND_CONVERSATIONS = text("SELECT id FROM conversations WHERE created_by = ANY(:people)")
THERE = text("SELECT 1 FROM messages WHERE id = :id")
# In this order: each may be named by those before it.
REMOVE = (
    text("DELETE FROM messages WHERE conversation_id = ANY(:conversations)"),
    text("DELETE FROM read_marks WHERE conversation_id = ANY(:conversations)"),
    text("DELETE FROM dead_letters WHERE sender_id = ANY(:people)"),
    text("DELETE FROM memberships WHERE conversation_id = ANY(:conversations)"),
    text("DELETE FROM conversations WHERE id = ANY(:conversations)"),
    text("DELETE FROM sessions WHERE profile_id = ANY(:people)"),
    text("DELETE FROM users WHERE profile_id = ANY(:people)"),
    text("DELETE FROM user_presence WHERE profile_id = ANY(:people)"),
    text("DELETE FROM profiles WHERE id = ANY(:people)"),
)


@dataclass(frozen=True, slots=True)
class Patient:
    """Somebody who exists for a checkup only, alone in a conversation; the token lets them in."""

    actor: Actor
    conversation_id: UUID
    token: str


def begin(*, now: datetime) -> Patient:
    """Make the person, a session of two minutes, and the conversation; raises Unavailable."""
    profile_id = ids.new_id()
    name = f"doctor-{profile_id.hex[:8]}"
    with transaction(SYSTEM) as tx:
        tx.add(Profile(id=profile_id, kind="user", username=name, display_name=NAME, created_at=now))
        tx.add(_account(profile_id, now))
        session = sessions.open_session(tx, profile_id=profile_id, kind="api", user_agent="doctor", address="", now=now)
        session.expires_at = now + timedelta(seconds=LIFE_S)
    actor = Actor(id=profile_id, kind="user", username=name, display_name=NAME, session_id=session.id)
    made, _ = conversations.create(actor, request=CreateConversation(kind="group", title="A checkup"), now=now)
    return Patient(actor, UUID(made["id"]), sessions.tokens(session).access_token)


def _account(profile_id: UUID, now: datetime) -> User:
    no_password = "!"  # no digest: nobody can sign in with any  # noqa: S105
    return User(
        profile_id=profile_id, email=f"{ADDRESS}{profile_id.hex}", password_hash=no_password, role="member",
        created_at=now, password_changed_at=now,
    )  # fmt: skip


def is_kept(message_id: UUID) -> bool:
    """Tell whether the database has a message; raises Unavailable."""
    with transaction(SYSTEM) as tx:
        return tx.execute(THERE, {"id": message_id}).one_or_none() is not None


def end(patient: Patient, *, now: datetime) -> None:
    """Remove everything that this checkup has made, and what killed ones have left; raises Unavailable, Down or Busy."""
    try:
        drain.drain_all(at_most_s=2)  # an entry of a conversation that is gone would become a dead letter
    except (Down, Unavailable):
        pass
    with transaction(SYSTEM) as tx:
        people = [row.profile_id for row in tx.execute(FIND, _who(patient, now))]
        gone = _remove(tx, people)
    try:
        hot.distrust(gone)
        presence.forget(people)
    except Down:
        pass  # it expires by itself


def _who(patient: Patient, now: datetime) -> dict[str, object]:
    return {"address": ADDRESS, "id": patient.actor.id, "before": now - LEFT_AFTER}


def _remove(tx: Transaction, people: list[UUID]) -> list[UUID]:
    rooms = [row.id for row in tx.execute(FIND_CONVERSATIONS, {"people": people})]
    for statement in REMOVE:
        tx.change(statement, {"people": people, "conversations": rooms})
    return rooms
