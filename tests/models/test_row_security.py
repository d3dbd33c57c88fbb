"""Row security: no context, no rows; an actor, only theirs. The same with two roles and with one that owns the tables."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

import psycopg2
import pytest
from flask import Flask
from psycopg2 import errors
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.domain import accounts, changes, conversations, memberships, messages, reading, startup
from app.kernel import clock, requests as wire, settings
from app.kernel.actor import SYSTEM, Actor
from app.models import transaction
from tests.support.stack import environment, fresh_database
from tests.support.wired import at, environ_for, inside, make_database, make_role, migrate

SINGLE = "parley_test_single"
UNGUARDED = (
    "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
    " AND c.relname <> 'alembic_version' AND NOT (c.relrowsecurity AND c.relforcerowsecurity"
    " AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid)) ORDER BY 1"
)
TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    " AND relname <> 'alembic_version'"
)
# Nothing here can be empty when the tests begin; dead letters come from a test of their own.
FILLED = {
    "audit_log", "conversations", "memberships", "mentions", "message_edits", "messages", "profiles", "reactions",
    "read_marks", "received_marks", "sessions", "users",
}  # fmt: skip


@dataclass
class World:
    """A database with people in it: ann and ben talk, cat has left, dan never was there."""

    environ: dict[str, str]
    superuser: str
    ann: Actor
    ben: Actor
    cat: Actor
    dan: Actor
    group: UUID

    def rows(self, table: str) -> int:
        """Count a table's rows as the superuser."""
        with psycopg2.connect(self.superuser) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            return int(cursor.fetchone()[0])


def seen(actor: Actor, table: str, where: str = "true") -> int:
    with transaction(actor) as tx:
        return int(tx.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one())


@pytest.fixture(scope="module", params=["two roles", "one role"])
def world(request: pytest.FixtureRequest, services: dict[str, str], template: str) -> Iterator[World]:
    environ, superuser = _two_roles(services, template) if request.param == "two roles" else _one_role(services)
    with inside(environ) as app:
        yield _inhabited(app, environ, superuser)


def _two_roles(services: dict[str, str], template: str) -> tuple[dict[str, str], str]:
    name = fresh_database(services, template)
    known = environment(services, name)
    return environ_for(known["DATABASE_URL"], known["DATABASE_OWNER_URL"]), at(
        services["PARLEY_TEST_SUPERUSER_URL"], name=name
    )


def _one_role(services: dict[str, str]) -> tuple[dict[str, str], str]:
    superuser, name = services["PARLEY_TEST_SUPERUSER_URL"], f"parley_test_{uuid.uuid4().hex[:10]}"
    make_role(superuser, SINGLE)
    make_database(superuser, name, SINGLE)
    environ = environ_for(at(superuser, name=name, role=SINGLE))
    migrate(environ)
    return environ, at(superuser, name=name)


def _inhabited(app: Flask, environ: dict[str, str], superuser: str) -> World:
    ann, ben, cat, dan = (_person(name) for name in ("ann", "ben", "cat", "dan"))
    body = {"kind": "group", "title": "Ours", "members": ["ben", "cat"]}
    made, _ = conversations.create(ann, request=wire.parse(wire.CreateConversation, body), now=clock.now())
    group = UUID(made["id"])
    sent = [_say(ann, group, f"hello @ben {number}") for number in range(3)]
    changes.edit(ann, message_id=sent[0], content="hello again @ben", now=clock.now())
    changes.react(ben, message_id=sent[1], emoji="👍", now=clock.now())
    reading.mark_read(ben, message_ids=[sent[2]], now=clock.now())
    memberships.leave(cat, conversation_id=group, now=clock.now())
    return World(environ, superuser, ann, ben, cat, dan, group)


def _person(name: str) -> Actor:
    body = {"username": name, "email": f"{name}@example.org", "password": "correct horse battery 9"}
    client = accounts.Client(user_agent="test", address="127.0.0.1")
    made = accounts.register(request=wire.parse(wire.Register, body), kind="api", client=client, now=clock.now())
    return Actor(id=UUID(made.user["id"]), kind="user", username=name, display_name=name)


def _say(actor: Actor, conversation_id: UUID, words: str) -> UUID:
    request = wire.parse(wire.SendMessage, {"conversationId": str(conversation_id), "content": words})
    return UUID(messages.send(actor, request=request, now=clock.now()).message["id"])


# the tables -----------------------------------------------------------------------------------------------------------
def test_every_table_has_row_security_and_a_policy_that_binds_its_owner_too(world: World) -> None:
    connection = psycopg2.connect(world.superuser)
    with connection.cursor() as cursor:
        cursor.execute(UNGUARDED)
        assert cursor.fetchall() == []
        cursor.execute("CREATE TABLE public.planted (id integer)")  # a check proves that it can fail
        cursor.execute(UNGUARDED)
        assert cursor.fetchall() == [("planted",)]
        cursor.execute("ALTER TABLE public.planted ENABLE ROW LEVEL SECURITY")
        cursor.execute(UNGUARDED)
        assert cursor.fetchall() == [("planted",)]
    connection.rollback()
    connection.close()


def test_without_a_context_there_are_no_rows(world: World) -> None:
    connection = psycopg2.connect(world.environ["DATABASE_URL"])
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = {row[0] for row in cursor.fetchall()}
        assert tables >= FILLED
        for table in sorted(tables):
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,), table
            if table in FILLED:
                assert world.rows(table) > 0, table
    connection.close()


def test_a_context_ends_with_its_transaction(world: World) -> None:
    connection = psycopg2.connect(world.environ["DATABASE_URL"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('parley.scope', 'system', true)")
        cursor.execute("SELECT count(*) FROM messages")
        assert cursor.fetchone()[0] > 0
        connection.commit()
        cursor.execute("SELECT count(*) FROM messages")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM memberships")  # its policy asks a function that sets something itself
        assert cursor.fetchone() == (0,)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO profiles (id, kind, display_name, created_at) SELECT gen_random_uuid(), 'customer', 'Eve', now()",
        "INSERT INTO audit_log (id, at, action, details) VALUES (gen_random_uuid(), now(), 'x', '{}')",
    ],
)
def test_without_a_context_nothing_is_written(world: World, statement: str) -> None:
    connection = psycopg2.connect(world.environ["DATABASE_URL"])
    with connection.cursor() as cursor:
        with pytest.raises(errors.InsufficientPrivilege):
            cursor.execute(statement)
        connection.rollback()
        for table in sorted(FILLED):
            cursor.execute(f"DELETE FROM {table}")
            assert cursor.rowcount == 0, table
    connection.rollback()
    connection.close()


# the actors -----------------------------------------------------------------------------------------------------------
OF_THE_GROUP = ("messages", "message_edits", "reactions", "mentions", "read_marks", "received_marks")


@pytest.mark.parametrize("table", OF_THE_GROUP)
def test_a_conversations_rows_are_its_members(world: World, table: str) -> None:
    here = f"conversation_id = '{world.group}'"
    assert seen(world.ann, table, here) == seen(world.ben, table, here) == world.rows(f"{table} WHERE {here}") > 0
    assert seen(world.dan, table) == 0
    assert seen(world.cat, table) == 0


def test_memberships_are_seen_by_fellow_members_and_ones_own_by_oneself(world: World) -> None:
    here = f"conversation_id = '{world.group}'"
    assert seen(world.ann, "memberships", here) == seen(world.ben, "memberships", here) == 3
    assert seen(world.cat, "memberships", here) == 1
    assert seen(world.dan, "memberships") == 0
    assert seen(world.ann, "conversations") == 1
    assert seen(world.dan, "conversations") == seen(world.cat, "conversations") == 0


@pytest.mark.parametrize("table", ["users", "sessions"])
def test_accounts_and_sessions_are_seen_by_their_owner_only(world: World, table: str) -> None:
    assert world.rows(table) >= 4
    assert seen(world.ann, table) == seen(world.ann, table, f"profile_id = '{world.ann.id}'") == 1


def test_nobody_reads_the_audit_log_and_everybody_the_profiles(world: World) -> None:
    assert seen(world.ann, "audit_log") == 0
    assert seen(world.dan, "profiles") == world.rows("profiles") >= 4


def test_staff_and_admins_see_no_private_conversation(world: World) -> None:
    for role in ("staff", "admin"):
        dan = replace(world.dan, role=role)
        assert [seen(dan, table) for table in OF_THE_GROUP] == [0] * len(OF_THE_GROUP)
        assert seen(dan, "users") == 1


def test_an_actor_changes_nothing_of_others(world: World) -> None:
    with transaction(world.dan) as tx:
        assert tx.change(text("UPDATE messages SET content = 'mine'")) == 0
        assert tx.change(text("UPDATE memberships SET role = 'owner'")) == 0
        assert tx.change(text("UPDATE conversations SET title = 'mine'")) == 0
        assert tx.change(text("DELETE FROM reactions")) == 0
        assert tx.change(text("UPDATE users SET email = 'mine@example.org'")) == 1  # the own one: the check can fail
        tx.connection.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO reactions (message_id, emoji, profile_id, conversation_id, created_at) SELECT :id, 'x', :me, :c, now()",
        "INSERT INTO mentions (message_id, profile_id, conversation_id, seq) SELECT :id, :me, :c, 1",
        "INSERT INTO received_marks SELECT :c, :me, 0, 1, now()",
        "INSERT INTO read_marks (conversation_id, profile_id, up_to_seq, read_at) SELECT :c, :me, 1, now()",
    ],
)
def test_an_outsider_puts_nothing_into_a_conversation(world: World, statement: str) -> None:
    message_id = _say(world.ann, world.group, "a message to hang things on")
    values = {"id": message_id, "c": world.group}
    with transaction(world.ben) as tx:
        assert tx.change(text(statement), {**values, "me": world.ben.id}) == 1
        tx.connection.rollback()
    with pytest.raises(ProgrammingError, match="row-level security"), transaction(world.dan) as tx:
        tx.change(text(statement), {**values, "me": world.dan.id})


def test_parley_itself_sees_everything(world: World) -> None:
    assert {table for table in FILLED if seen(SYSTEM, table) != world.rows(table)} == set()


def test_elevation_ends_with_its_block_even_by_an_error(world: World) -> None:
    def count() -> int:
        return int(tx.execute(text("SELECT count(*) FROM messages")).scalar_one())

    with transaction(world.dan) as tx:
        with tx.elevated():
            assert count() > 0
        assert count() == 0
        with pytest.raises(KeyError), tx.elevated():
            raise KeyError
        assert count() == 0


# starting -------------------------------------------------------------------------------------------------------------
def test_the_role_is_one_that_row_security_binds(world: World) -> None:
    startup.check()
    with transaction(SYSTEM) as tx:
        assert tx.execute(startup.ROLE).one()[1:] == (False, False)


@pytest.mark.parametrize("powers", ["SUPERUSER BYPASSRLS", "NOSUPERUSER BYPASSRLS"])
def test_production_refuses_a_role_that_row_security_does_not_bind(
    services: dict[str, str], template: str, powers: str, caplog: pytest.LogCaptureFixture
) -> None:
    superuser = services["PARLEY_TEST_SUPERUSER_URL"]
    make_role(superuser, "parley_test_mighty", powers)
    url = at(superuser, name=fresh_database(services, template), role="parley_test_mighty")
    production = {"CHAT_ENV": "production", "CHAT_ORIGINS": "https://chat.example.org", "SECRET_KEY": uuid.uuid4().hex}
    with inside(environ_for(url, **production)), pytest.raises(SystemExit, match=r"DATABASE_URL names .* give a role"):
        startup.check()
    with inside(environ_for(url)), caplog.at_level(logging.WARNING):
        startup.check()
    assert settings.settings().env == "test"
    assert "row security does not bind" in caplog.text
