"""People, rooms and sign-ins by the thousand: written with COPY, as the tables hold them, and tokens made for each."""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import jwt
import psycopg2

NONCE = "\\\\x" + "00" * 16


@dataclass(frozen=True, slots=True)
class Crowd:
    """Rooms of equal size. ``tokens`` are the members', room by room; nobody is in two."""

    rooms: list[str]
    members: int
    people: list[str]
    tokens: list[str]


def make(superuser_url: str, secret: str, *, rooms: int, members: int) -> Crowd:
    """Write a crowd of new people into a database; gives who they are and how they sign in."""
    now = datetime.now(timezone.utc)
    made = [str(uuid.uuid4()) for _ in range(rooms)]
    people = [str(uuid.uuid4()) for _ in range(rooms * members)]
    sessions = [str(uuid.uuid4()) for _ in people]
    with psycopg2.connect(superuser_url) as connection, connection.cursor() as cursor:
        _copy_people(cursor, people, sessions, now)
        _copy_rooms(cursor, made, people, members, now)
    connection.close()
    return Crowd(made, members, people, [token(secret, p, s) for p, s in zip(people, sessions, strict=True)])


def token(secret: str, profile_id: str, session_id: str, *, lifetime_s: int = 864_000) -> str:
    """Make an access token, as a sign-in does."""
    issued = int(time.time())
    claims = {"sub": profile_id, "sid": session_id, "iat": issued, "exp": issued + lifetime_s}
    return jwt.encode(claims, secret, algorithm="HS256")


def _copy_people(cursor: Any, people: Sequence[str], sessions: Sequence[str], now: datetime) -> None:
    until = now + timedelta(days=10)
    names = [f"b{person.replace('-', '')[:24]}" for person in people]
    pairs = list(zip(people, names, strict=True))
    copy(cursor, "profiles (id, kind, username, display_name, created_at)",
         ((one, "user", name, f"Bench {name[:6]}", now) for one, name in pairs))  # fmt: skip
    copy(cursor, "users (profile_id, email, password_hash, role, created_at, password_changed_at)",
         ((one, f"{name}@bench.example", "-", "member", now, now) for one, name in pairs))  # fmt: skip
    copy(
        cursor,
        "sessions (id, profile_id, kind, nonce, generation, rotated_at, created_at, last_used_at, expires_at,"
        " user_agent, address)",
        ((s, p, "api", NONCE, 1, now, now, now, until, "bench", "127.0.0.1")
         for s, p in zip(sessions, people, strict=True)),
    )  # fmt: skip


def _copy_rooms(cursor: Any, rooms: Sequence[str], people: Sequence[str], members: int, now: datetime) -> None:
    copy(
        cursor,
        "conversations (id, kind, slug, title, visibility, member_count, created_by, created_at, updated_at, active_at)",
        ((room, "room", f"bench-{room}", "Bench", "public", members, people[n * members], now, now, now)
         for n, room in enumerate(rooms)),
    )  # fmt: skip
    copy(
        cursor,
        "memberships (conversation_id, profile_id, role, joined_at)",
        ((rooms[n // members], person, "member", now) for n, person in enumerate(people)),
    )


def copy(cursor: Any, into: str, rows: Iterable[Sequence[object]]) -> None:
    """Write rows with COPY; the values are ours and hold no tab, newline or backslash but those meant."""
    body = io.StringIO("".join("\t".join(map(str, row)) + "\n" for row in rows))
    cursor.copy_expert(f"COPY {into} FROM STDIN", body)
