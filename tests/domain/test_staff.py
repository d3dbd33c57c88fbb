"""Who answers customers is in every support conversation, at a cost that does not grow with how many there are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from app.domain import accounts, customers, support
from app.extensions import redis, socketio
from app.kernel import clock, requests as wire
from app.kernel.actor import Actor
from app.live import membership as cache
from app.outbound import emits
from tests.mail.conftest import World, running, world
from tests.support.clients import Person
from tests.support.inside import Inside
from tests.support.serving import customer_of, promote
from tests.support.stack import Stack, until
from tests.support.statements import statements
from tests.support.wired import inside as parley_here

__all__ = ["running", "world"]  # fixtures
MAKE = (
    "INSERT INTO conversations (id, kind, visibility, head_seq, version, member_count, created_by, created_at, updated_at,"
    " active_at, customer_id, status) SELECT gen_random_uuid(), 'support', 'private', 3, 1, 1, :c, now(), now(), now(), :c,"
    " :status FROM generate_series(1, :number) RETURNING id"
)
ENTER = (
    "INSERT INTO memberships (conversation_id, profile_id, role, joined_at, read_seq) SELECT unnest(CAST(:ids AS uuid[])),"
    " :who, :role, now(), 0"
)
STANDING = (
    "SELECT c.id, c.version, c.member_count, c.status, me.role, me.left_at IS NULL AS is_in, me.read_seq, me.received_seq,"
    " me.history_from_seq FROM conversations c LEFT JOIN memberships me ON me.conversation_id = c.id AND me.profile_id = :who"
    " WHERE c.id = ANY(CAST(:ids AS uuid[]))"
)


@pytest.fixture
def desk(world: World) -> Iterator[World]:
    """A Parley without any support conversation or staff but those that a test makes."""
    world.rows("UPDATE conversations SET status = 'resolved' WHERE kind = 'support'")
    world.rows("UPDATE users SET role = 'member'")
    yield world
    world.rows("UPDATE conversations SET status = 'resolved' WHERE kind = 'support'")


def customer(desk: World) -> UUID:
    """Make a customer."""
    una = desk.person("Una")
    desk.rows("UPDATE users SET role = 'staff' WHERE profile_id = :id", id=una.id)
    staff = Actor(id=una.id, kind="user", role="staff")
    request = wire.parse(wire.CreateCustomer, {"displayName": "Cas"})
    made = customers.create(staff, request=request, now=clock.now())
    desk.rows("UPDATE users SET role = 'member' WHERE profile_id = :id", id=una.id)
    return UUID(made["id"])


def conversations_of(desk: World, number: int, status: str = "open") -> list[str]:
    """Have so many support conversations."""
    cas = customer(desk)
    ids = [str(row.id) for row in desk.rows(MAKE, c=cas, status=status, number=number)]
    desk.rows(ENTER, ids=ids, who=cas, role="member")
    return ids


def set_role(person: Actor, role: str) -> None:
    """Give someone a role."""
    accounts.set_role(username=str(person.username), role=role, now=clock.now())


def cost(step: Callable[[], object]) -> int:
    with statements() as seen:
        step()
    return len(seen)


def test_joining_and_leaving_take_as_many_statements_for_a_hundred_conversations_as_for_three(desk: World) -> None:
    costs = []
    for number in (3, 100):
        desk.rows("UPDATE users SET role = 'member'")
        conversations_of(desk, number)
        tom = desk.person("Tom")
        join, leave = cost(lambda one=tom: set_role(one, "staff")), cost(lambda one=tom: set_role(one, "member"))
        listed = _inbox_cost(desk)
        desk.rows("UPDATE conversations SET status = 'resolved' WHERE kind = 'support'")
        costs.append((join, leave, listed))
    assert costs[0] == costs[1]
    assert max(costs[0]) < 40


def _inbox_cost(desk: World) -> int:
    """Count what a first look at resolved conversations costs one who came later."""
    desk.rows("UPDATE conversations SET status = 'resolved' WHERE kind = 'support' AND status = 'open'")
    una = desk.person("Una")
    set_role(una, "staff")
    staff = Actor(id=una.id, kind="user", role="staff")
    return cost(lambda: support.inbox(staff, status=None, assignee=None, limit=200, after=None, now=clock.now()))


def test_five_hundred_conversations_take_a_moment(desk: World) -> None:
    ids, tom = conversations_of(desk, 500), desk.person("Tom")
    for other in (desk.person("Uma"), desk.person("Val")):
        set_role(other, "staff")
    began = time.monotonic()
    set_role(tom, "staff")
    assert time.monotonic() - began < 6, "it took half a minute, one conversation at a time"
    assert all(row.is_in for row in desk.rows(STANDING, who=tom.id, ids=ids))
    began = time.monotonic()
    set_role(tom, "member")
    assert time.monotonic() - began < 6
    assert not any(row.is_in for row in desk.rows(STANDING, who=tom.id, ids=ids))


def test_each_conversation_ends_up_as_if_it_were_the_only_one(desk: World) -> None:
    tom = desk.person("Tom")
    kinds = {
        "new": conversations_of(desk, 3),
        "pending": conversations_of(desk, 2, "pending"),
        "resolved": conversations_of(desk, 2, "resolved"),
        "deleted": conversations_of(desk, 1),
        "been in": conversations_of(desk, 2),
        "in already": conversations_of(desk, 2),
    }
    everything = [one for ids in kinds.values() for one in ids]
    desk.rows("UPDATE conversations SET deleted_at = now() WHERE id = ANY(CAST(:ids AS uuid[]))", ids=kinds["deleted"])
    desk.rows(ENTER, ids=[*kinds["been in"], *kinds["in already"]], who=tom.id, role="admin")
    desk.rows(
        "UPDATE memberships SET left_at = now(), read_seq = 2, received_seq = 2, role = 'member' WHERE profile_id = :who"
        " AND conversation_id = ANY(CAST(:ids AS uuid[]))",
        who=tom.id,
        ids=kinds["been in"],
    )

    def standing() -> dict[str, set[tuple[Any, ...]]]:
        rows = {str(row.id): row for row in desk.rows(STANDING, who=tom.id, ids=everything)}
        return {
            kind: {(rows[one].role, bool(rows[one].is_in and rows[one].role), rows[one].read_seq, rows[one].received_seq,
                rows[one].version, rows[one].member_count) for one in ids}
            for kind, ids in kinds.items()
        }  # fmt: skip

    joined = {("admin", True, 0, 0, 2, 2)}
    untouched = {(None, False, None, None, 1, 1)}
    set_role(tom, "staff")
    expected = {
        "new": joined, "pending": joined, "resolved": untouched, "deleted": untouched, "been in": joined,
        "in already": {("admin", True, 0, 0, 1, 1)},
    }  # fmt: skip
    assert standing() == expected
    set_role(tom, "admin")
    assert support.join_staff(now=clock.now()) == 0
    assert standing() == expected, "a second time changes nothing"
    set_role(tom, "member")
    left = {("admin", False, 0, 0, 3, 1)}
    assert standing() == expected | {
        "new": left,
        "pending": left,
        "been in": left,
        "in already": {("admin", False, 0, 0, 2, 1)},
    }
    owners = "SELECT 1 FROM memberships WHERE role = 'owner' AND conversation_id = ANY(CAST(:ids AS uuid[]))"
    assert not desk.rows(owners, ids=everything), "nobody inherits a support conversation, least of all the customer"


def test_each_who_sees_the_change_is_told_once_and_every_process_hears_of_it(
    desk: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, tom, uma = conversations_of(desk, 5), desk.person("Tom"), desk.person("Uma")
    set_role(uma, "staff")
    told, emit = list[tuple[str, Any]](), emits.conversation

    def overhear(view: Any, room: str) -> None:
        told.append((room, view))
        emit(view, room)

    monkeypatch.setattr(emits, "conversation", overhear)
    ear = redis.cache.pubsub(ignore_subscribe_messages=True)
    ear.subscribe(redis.channel("parley"))
    ear.get_message(timeout=5)
    socketio.server.manager._looked_at = -60.0  # who listens is looked at anew: this ear hears no topics
    for role, ended in (("staff", False), ("member", True)):
        told.clear()
        set_role(tom, role)
        views = {(room, view["id"]): view for room, view in told}
        assert len(views) == len(told), "nobody hears of one twice"
        assert {c for room, c in views if room == f"user:{tom.id}"} == set(ids)
        assert all(view.get("removed", False) is ended for (room, _), view in views.items() if room == f"user:{tom.id}")
        assert {view["memberCount"] for (room, _), view in views.items() if room == f"user:{uma.id}"} == {
            2 if ended else 3
        }
        many = [notice for notice in _heard(ear) if notice["kind"] == "memberships"]
        assert [(n["profileId"], set(n["conversationIds"]), n["ended"]) for n in many] == [
            (str(tom.id), set(ids), ended)
        ]
    ear.close()


def _heard(ear: Any) -> list[Any]:
    notices = []
    while (heard := ear.get_message(timeout=0.2)) is not None:
        notices.append(orjson.loads(heard["data"]))
    return notices


def test_what_the_log_believes_of_them_is_forgotten_for_all_at_once(desk: World) -> None:
    pairs = [(uuid4(), uuid4()) for _ in range(1_100)]
    for c, p in pairs:
        redis.log.set(cache.member_key(c, p), "from:0")
    token = cache.begin_load(pairs[0][0])
    cache.evict(pairs)
    assert not [1 for c, p in pairs if cache.history_from_seq(c, p) is not None]
    assert not cache.finish_load(*pairs[0], token, history_from_seq=0), "a load begun before is thrown away"


def test_one_whose_credential_is_a_second_behind_is_not_put_back(desk: World) -> None:
    ids, tom = conversations_of(desk, 2), desk.person("Tom")
    set_role(tom, "staff")
    set_role(tom, "member")
    stale = Actor(id=tom.id, kind="user", role="staff", username=tom.username)
    items, _ = support.inbox(stale, status=None, assignee=None, limit=50, after=None, now=clock.now())
    assert items == []
    assert not any(row.is_in for row in desk.rows(STANDING, who=tom.id, ids=ids))


def test_who_came_after_it_was_resolved_hears_it_when_a_colleague_opens_it_again(desk: World) -> None:
    una, tom = desk.person("Una"), desk.person("Tom")
    set_role(una, "staff")
    (target,) = conversations_of(desk, 1)
    support.join_staff(now=clock.now())
    staff = Actor(id=una.id, kind="user", role="staff")
    for status in ("resolved", "pending"):
        request = wire.parse(wire.PatchSupport, {"status": status})
        support.patch(staff, conversation_id=UUID(target), request=request, now=clock.now() + timedelta(seconds=1))
        if status == "resolved":
            set_role(tom, "staff")
            assert not desk.rows(STANDING, who=tom.id, ids=[target])[0].role
    assert desk.rows(STANDING, who=tom.id, ids=[target])[0].is_in


def test_a_job_puts_in_who_is_missing_and_their_devices_hear(stack: Stack, inside: Inside, name: str) -> None:
    sam = Person(stack.url, f"{name}s")
    promote(stack, sam)
    targets = []
    for number in range(2):
        one, _, _ = customer_of(sam, f"{name}c{number}")
        targets.append(one.ok("POST", "/conversations", {"kind": "support"})["conversation"]["id"])
    device = sam.socket(stack.urls[1])
    out = "DELETE FROM memberships WHERE profile_id = %s AND conversation_id = ANY(CAST(%s AS uuid[])) RETURNING 1"
    assert len(inside.rows(out, sam.id, targets)) == 2
    device = sam.socket(stack.urls[1])
    assert not {one["id"] for one in device.ready["conversations"]} & set(targets)
    with parley_here(stack.environ):
        assert support.join_staff(now=clock.now()) >= 2
    until(
        lambda: {f"conversation:{one}" for one in targets} <= set(device.ok("subscribe", {"channels": []})["channels"]),
        what="the device in both conversations",
    )
    una = Person(stack.url, f"{name}u")
    promote(stack, una)
    promote(stack, sam, "member")
    until(lambda: not device.client.connected, within_s=3, what="the end of the sockets of one who leaves the staff")
    assert not {one["id"] for one in sam.socket(stack.urls[1]).ready["conversations"]} & set(targets)
    assert [sam.refused("GET", f"/conversations/{target}/messages")[0] for target in targets] == [404, 404]
    for target in targets:
        una.ok("PATCH", f"/support/conversations/{target}", {"status": "resolved"})
    for person in (sam, una):
        person.close()
