"""Unread cannot drift: after any history it is what one gets by counting again, by the database and by a plain model."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import text

from app.domain import accounts, changes, conversations, memberships, messages, reading
from app.kernel import clock, requests as wire
from app.kernel.actor import SYSTEM, Actor
from app.models import transaction
from tests.support.stack import environment, fresh_database
from tests.support.wired import environ_for, inside

NAMES = ("ann", "ben", "cat")
STEPS = st.one_of(
    st.tuples(st.just("send"), st.sampled_from(NAMES), st.sampled_from(("hello", "@ann", "@ben @cat"))),
    st.tuples(st.sampled_from(("edit", "delete", "read", "unread")), st.sampled_from(NAMES), st.integers(0, 30)),
    st.tuples(st.sampled_from(("leave", "rejoin", "unread newest")), st.sampled_from(NAMES), st.just(0)),
)


@dataclass
class Said:
    """A message as the model knows it."""

    id: UUID
    sender: str
    seq: int
    names: set[str]
    deleted: bool = False


@dataclass
class Model:
    """What each reader has, kept by hand: how far they have read, and whether they are there."""

    said: list[Said] = field(default_factory=list)
    read: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    floor: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    gone: set[str] = field(default_factory=set)
    head: int = 0

    def unread(self, who: str) -> list[Said]:
        after = max(self.read[who], self.floor[who])
        return [s for s in self.said if s.seq > after and s.sender != who and not s.deleted]

    def seen(self, who: str, number: int) -> Said | None:
        visible = [s for s in self.said if s.seq > self.floor[who]]
        return visible[number % len(visible)] if visible else None


@dataclass
class World:
    """The application in this process, and a fresh conversation for each history."""

    people: dict[str, Actor]
    number: Iterator[int] = field(default_factory=itertools.count)

    def conversation(self, kind: str) -> UUID:
        named = {"slug": f"unread-{next(self.number)}"} if kind == "room" else {"title": "Ours"}
        body = {"kind": kind, "members": ["ben", "cat"], **named}
        made, _ = conversations.create(
            self.people["ann"], request=wire.parse(wire.CreateConversation, body), now=clock.now()
        )
        return UUID(made["id"])


@pytest.fixture(scope="module")
def world(services: dict[str, str], template: str) -> Iterator[World]:
    known = environment(services, fresh_database(services, template))
    with inside(environ_for(known["DATABASE_URL"], known["DATABASE_OWNER_URL"], RATE_LIMITS_ENABLED="false")):
        yield World({name: _person(name) for name in NAMES})


def _person(name: str) -> Actor:
    body = {"username": name, "email": f"{name}@example.org", "password": "correct horse battery 9"}
    client = accounts.Client(user_agent="test", address="127.0.0.1")
    made = accounts.register(request=wire.parse(wire.Register, body), kind="api", client=client, now=clock.now())
    return Actor(id=UUID(made.user["id"]), kind="user", username=name, display_name=name)


class Play:
    """Does each step to Parley and to the model."""

    def __init__(self, world: World, kind: str) -> None:
        self.people, self.kind, self.c = world.people, kind, world.conversation(kind)
        self.model = Model()

    def step(self, verb: str, who: str, value: Any) -> None:
        if (who in self.model.gone) != (verb == "rejoin"):
            return
        getattr(self, f"_{verb.replace(' ', '_')}")(who, value)

    def _send(self, who: str, words: str) -> None:
        body = {"conversationId": str(self.c), "content": words}
        sent = messages.send(self.people[who], request=wire.parse(wire.SendMessage, body), now=clock.now()).message
        self.model.head += 1
        assert sent["seq"] == self.model.head
        names = {name for name in NAMES if f"@{name}" in words and name not in self.model.gone}
        self.model.said.append(Said(UUID(sent["id"]), who, self.model.head, names))

    def _edit(self, who: str, number: int) -> None:
        target = self.model.seen(who, number)
        if target and target.sender == who and not target.deleted:
            self.model.head += 1
            words = f"edited {self.model.head} @ben"
            changes.edit(self.people[who], message_id=target.id, content=words, now=clock.now())
            target.names = {"ben"} - self.model.gone

    def _delete(self, who: str, number: int) -> None:
        target = self.model.seen(who, number)
        if target and target.sender == who and not target.deleted:
            changes.delete(self.people[who], message_id=target.id, now=clock.now())
            self.model.head += 1
            target.deleted, target.names = True, set()

    def _read(self, who: str, number: int) -> None:
        target = self.model.seen(who, number)
        if target:
            self.model.read[who] = max(self.model.read[who], target.seq)
            told = reading.mark_read(self.people[who], message_ids=[target.id], now=clock.now())
            assert told == {"readSeq": self.model.read[who], "unreadCount": len(self.model.unread(who))}

    def _unread(self, who: str, number: int) -> None:
        self._mark_unread(who, self.model.seen(who, number), named=True)

    def _unread_newest(self, who: str, _: int) -> None:
        of_others = [s for s in self.model.said if s.sender != who and not s.deleted and s.seq > self.model.floor[who]]
        self._mark_unread(who, of_others[-1] if of_others else None, named=False)

    def _mark_unread(self, who: str, target: Said | None, *, named: bool) -> None:
        if target is None and named:
            return
        if target and target.seq <= self.model.read[who]:
            self.model.read[who] = max(target.seq - 1, self.model.floor[who])
        elif target and named:
            self.model.read[who] = max([self.model.read[who], *(s.seq for s in self.model.said if s.seq < target.seq)])
        told = reading.mark_unread(
            self.people[who],
            conversation_id=self.c,
            now=clock.now(),
            message_id=target.id if target and named else None,
        )
        if target and named:
            assert [s for s in self.model.said if s.seq >= target.seq and s.sender != who and not s.deleted] == (
                self.model.unread(who)
            ), "what comes from there on is unread, and nothing else"
        assert told == {"readSeq": self.model.read[who], "unreadCount": len(self.model.unread(who))}

    def _leave(self, who: str, _: int) -> None:
        if len(self.model.gone) < 2:
            memberships.leave(self.people[who], conversation_id=self.c, now=clock.now())
            self.model.gone.add(who)

    def _rejoin(self, who: str, _: int) -> None:
        inviter = next(name for name in NAMES if name not in self.model.gone)
        memberships.add(self.people[inviter], conversation_id=self.c, username=who, role=None, now=clock.now())
        self.model.gone.discard(who)
        self.model.read[who] = self.model.head
        self.model.floor[who] = self.model.head if self.kind == "group" else 0

    def check(self, *readers: str) -> None:
        for who in readers or NAMES:
            if who not in self.model.gone:
                unread = self.model.unread(who)
                shown = reading.recount(self.people[who], conversation_id=self.c)
                assert [item["messageId"] for item in shown["items"]] == [str(s.id) for s in unread]
                assert shown["unreadCount"] == shown["recount"] == len(unread)
                assert shown["mentionCount"] == sum(who in s.names for s in unread)
                total = reading.unread(self.people[who], conversation_id=None)
                assert total["byConversation"].get(str(self.c), 0) == len(unread)
                view = conversations.get(self.people[who], conversation_id=self.c)
                assert (view["unreadCount"], view["mentionCount"]) == (len(unread), shown["mentionCount"])


@settings(max_examples=30, suppress_health_check=list(HealthCheck), derandomize=True)
@given(kind=st.sampled_from(("room", "group")), steps=st.lists(STEPS, min_size=5, max_size=20))
def test_unread_equals_a_recount_after_any_history(world: World, kind: str, steps: list[tuple[str, str, Any]]) -> None:
    play = Play(world, kind)
    for step in steps:
        play.step(*step)
    play.check()


FILL = text(
    "WITH made AS (INSERT INTO messages (id, conversation_id, seq, changed_seq, sender_id, sender_type, client_message_id,"
    " content, message_type, created_at, metadata) SELECT gen_random_uuid(), :c, n, n, :who, 'user', gen_random_uuid(), 'x',"
    " 'text', now(), '{}' FROM generate_series(:head + 1, :head + :count) n RETURNING seq)"
    " UPDATE conversations SET head_seq = (SELECT max(seq) FROM made) WHERE id = :c"
)


def test_a_count_goes_by_sender_where_nearly_everything_is_ones_own(world: World) -> None:
    play = Play(world, "room")
    play._send("ben", "first")
    with transaction(SYSTEM) as tx:
        tx.change(FILL, {"c": play.c, "who": play.people["ann"].id, "head": 1, "count": 1200})
    play.model.head += 1200
    for number in range(4):
        play._send(("cat", "ben")[number % 2], f"late {number} @ann")
    play._delete("ben", 2)
    play.check("ann")
    assert [s.seq for s in play.model.unread("ann")] == [1, 1202, 1204, 1205], "one was deleted"
    changes.delete(play.people["cat"], message_id=play.model.said[1].id, now=clock.now())
    play.model.said[1].deleted = True
    play.check("ann")
    play._read("ann", 0)
    play.check("ann")
