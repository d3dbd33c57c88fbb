"""A Parley inside the test's own process, with a mail server beside it; the clock is the test's."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from app.domain import accounts, conversations, mailing, messages, resets
from app.kernel import clock, requests as wire
from app.kernel.actor import SYSTEM, Actor
from app.models import transaction
from tests.support.clients import PASSWORD
from tests.support.postoffice import PostOffice, post_office
from tests.support.stack import environment, fresh_database, redis_number
from tests.support.wired import environ_for, inside


@dataclass
class World:
    """A Parley, its mail server, and a clock that only the test moves."""

    app: Flask
    office: PostOffice
    folder: Path
    environ: dict[str, str]
    now: datetime = field(default_factory=clock.now)

    def later(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)

    def person(self, name: str = "", **more: Any) -> Actor:
        """Make someone with an account."""
        username = "p" + uuid.uuid4().hex[:12]
        body = {"username": username, "email": f"{username}@example.org", "password": PASSWORD, **more}
        body |= {"displayName": name} if name else {}
        made = accounts.create(request=wire.parse(wire.Register, body), role="member", now=clock.now())
        return Actor(id=made, kind="user", username=username, display_name=name or username)

    def group(self, title: str, owner: Actor, *members: Actor) -> UUID:
        """Make a group."""
        body = {"kind": "group", "title": title, "members": [str(member.username) for member in members]}
        made, _ = conversations.create(owner, request=wire.parse(wire.CreateConversation, body), now=clock.now())
        return UUID(made["id"])

    def say(self, actor: Actor, conversation_id: UUID, words: str) -> UUID:
        """Send a message."""
        body = {"conversationId": str(conversation_id), "content": words}
        return UUID(messages.send(actor, request=wire.parse(wire.SendMessage, body), now=clock.now()).message["id"])

    def send(self) -> int:
        """Send what is due."""
        return mailing.send_due(now=self.now)

    def letters(self, person: Actor) -> list[str]:
        """List the states of someone's letters."""
        return [str(row.state) for row in self.rows("SELECT state FROM letters WHERE profile_id = :id"
                " ORDER BY created_at", id=person.id)]  # fmt: skip

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Look into the database as Parley itself."""
        with transaction(SYSTEM) as tx:
            result = tx.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []

    def mail_to(self, person: Actor) -> list[Any]:
        """List the letters that the mail server took for someone."""
        return self.office.to(f"{person.username}@example.org")


@pytest.fixture(scope="module")
def running(services: dict[str, str], template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A Parley for one file's tests, with a database and a Redis of its own, and a mail server."""
    known = environment(services, fresh_database(services, template))
    cache = urlunsplit(urlsplit(known["REDIS_URL"])._replace(path=f"/{redis_number()}"))
    folder = tmp_path_factory.mktemp("instance")
    with post_office() as office:
        more = {"REDIS_URL": cache, "REDIS_CONNECT_TIMEOUT": "3000", "RATE_LIMITS_ENABLED": "false"}
        more |= {"CHAT_SMTP_URL": office.url, "CHAT_MAIL_TIMEOUT_S": "3", "CHAT_INSTANCE_PATH": str(folder)}
        more |= {"CHAT_PUBLIC_URL": "https://chat.example.org"}
        environ = environ_for(known["DATABASE_URL"], known["DATABASE_OWNER_URL"], **more)
        with inside(environ) as app:
            yield World(app, office, folder, environ)


@pytest.fixture
def world(running: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """That Parley with nothing owed to anybody; make your own people."""
    monkeypatch.setattr(resets, "ANSWER_S", 0.0)
    running.rows("UPDATE letters SET state = 'dropped', ended_at = now() WHERE ended_at IS NULL")
    running.rows("UPDATE memberships SET notified_seq = 1000000")  # what other tests left unread
    running.office.forget()
    running.now = clock.now()
    return running
