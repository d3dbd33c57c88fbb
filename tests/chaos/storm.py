"""A reconnect storm: two thousand clients come back at once and catch up; how long it takes, and what it asks of PostgreSQL."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

import jwt

from tests.chaos.ground import Ground
from tests.support.clients import Rest, send_body
from tests.support.stack import ROOT, until

CLIENTS, ROOMS, MISSED = 2000, 40, 5
PEOPLE = """
    WITH made AS (INSERT INTO profiles (id, kind, username, display_name, created_at)
           SELECT gen_random_uuid(), 'user', %(word)s || n, 'Stormer', now() FROM generate_series(1, %(clients)s) n
           RETURNING id, username),
         signed_up AS (INSERT INTO users (profile_id, email, password_hash, role, created_at, password_changed_at)
           SELECT id, username || '@storm.example', '-', 'member', now(), now() FROM made RETURNING profile_id)
    INSERT INTO sessions (id, profile_id, kind, nonce, generation, rotated_at, created_at, last_used_at, expires_at,
           user_agent, address)
    SELECT gen_random_uuid(), profile_id, 'api', decode(repeat('00', 16), 'hex'), 1, now(), now(), now(),
           now() + interval '1 day', 'storm', '127.0.0.1' FROM signed_up RETURNING id::text, profile_id::text"""
# What clients ask: neither the frame of a transaction nor what processes ask by themselves.
ASKED = """
    SELECT calls, query FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
     WHERE datname = %s AND query !~* '^(BEGIN|COMMIT|ROLLBACK|SELECT \\$1$|SELECT set_config|SET |DISCARD)'
     ORDER BY calls DESC"""


@dataclass(frozen=True)
class Storm:
    """What a storm has shown."""

    clients: int
    seconds: float
    queries_a_client: float
    by_statement: list[tuple[int, str]]
    complete: bool
    attempts: int
    failures: list[str]


def measure(ground: Ground, mode: str, *, count: int = CLIENTS) -> Storm:
    """Have the clients miss a few messages each, come back, and be whole."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    _count_statements(ground)
    ground.become(mode)
    ground.start()
    clients = _make_clients(ground, count)
    _write(ground, clients, MISSED)
    _play(_plan(ground, clients, 0, acknowledges=True))  # they have been here before
    _write(ground, clients, 2 * MISSED)
    with ground.database() as cursor:
        cursor.execute("SELECT pg_stat_statements_reset()")
    result = _play(_plan(ground, clients, MISSED, acknowledges=False))
    with ground.database() as cursor:
        cursor.execute(ASKED, [ground.stack.database])
        asked = [(calls, " ".join(query.split())[:100]) for calls, query in cursor.fetchall()]
    return Storm(
        len(clients), max(result["seconds"], default=0.0), sum(calls for calls, _ in asked) / len(clients), asked[:6],
        result["messages"] == [MISSED] * len(clients), int(sum(result["attempts"])), result["failures"][:3],
    )  # fmt: skip


def _count_statements(ground: Ground) -> None:
    with ground.database() as cursor:
        cursor.execute("SHOW shared_preload_libraries")
        if "pg_stat_statements" not in cursor.fetchone()[0]:
            cursor.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
            ground.kill("postgres")
            ground.start_again("postgres")
    with ground.database() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")


def _make_clients(ground: Ground, count: int) -> list[tuple[str, str]]:
    """Write the people into the database, each with a session of their own; rooms and members too."""
    rooms = [str(uuid.uuid4()) for _ in range(ROOMS)]
    with ground.database() as cursor:
        cursor.execute("BEGIN; SELECT set_config('parley.scope', 'system', true)")
        cursor.execute(PEOPLE, {"word": f"s{uuid.uuid4().hex[:8]}", "clients": count})
        sessions = cursor.fetchall()
        for room in rooms:
            cursor.execute(
                "INSERT INTO conversations (id, kind, slug, title, visibility, member_count, created_by, created_at,"
                " updated_at, active_at) VALUES (%s, 'room', %s, 'Storm', 'public', %s, %s, now(), now(), now())",
                [room, f"storm-{room}", count // ROOMS, sessions[0][1]],
            )
        pairs = [(rooms[n % ROOMS], profile) for n, (_, profile) in enumerate(sessions)]
        cursor.executemany(
            "INSERT INTO memberships (conversation_id, profile_id, role, joined_at) VALUES (%s, %s, 'member', now())",
            pairs,
        )
        cursor.execute("COMMIT")
    secret, until_then = ground.stack.environ["SECRET_KEY"], int(time.time()) + 86_400
    tokens = [
        jwt.encode({"sub": profile, "sid": sid, "iat": int(time.time()), "exp": until_then}, secret, algorithm="HS256")
        for sid, profile in sessions
    ]
    return [(token, rooms[n % ROOMS]) for n, token in enumerate(tokens)]


def _write(ground: Ground, clients: list[tuple[str, str]], until_head: int) -> None:
    """Have a few messages written in each room, and wait until all have a position."""
    for token, room in clients[:ROOMS]:
        door = Rest(ground.stack.url, token)
        for number in range(MISSED):
            door.ok("POST", "/messages/send", send_body(room, f"missed {number}"))
    until(lambda: _written(ground) == until_head * ROOMS, within_s=30, what="all committed")
    time.sleep(2)


def _plan(ground: Ground, clients: list[tuple[str, str]], position: int, *, acknowledges: bool) -> dict[str, object]:
    urls = [[urlsplit(url).hostname, urlsplit(url).port] for url in ground.stack.urls]
    clients_of_it = [[token, room, position] for token, room in clients]
    return {"urls": urls, "clients": clients_of_it, "acknowledges": acknowledges}


def _written(ground: Ground) -> int:
    with ground.database() as cursor:
        cursor.execute("SELECT sum(head_seq) FROM conversations WHERE slug LIKE 'storm-%'")
        return int(cursor.fetchone()[0])


def _play(plan: dict[str, object]) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "tests.chaos.stormers"]
    done = subprocess.run(command, input=json.dumps(plan).encode(), cwd=ROOT, check=True, capture_output=True)
    return dict(json.loads(done.stdout))
