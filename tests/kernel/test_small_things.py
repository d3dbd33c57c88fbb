"""Clock, ids, JSON, errors and actors."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID, uuid4, uuid5

import orjson
import pytest
from hypothesis import given, strategies as st

from app.kernel import clock, ids, json
from app.kernel.actor import SYSTEM, Actor
from app.kernel.errors import DomainError, Held, Invalid, OutOfOrder, RateLimited, Unavailable

pytestmark = pytest.mark.fast
anything = st.text(st.characters(codec=None))


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(1000, 1, 2), max_value=datetime(9000, 1, 1)))  # noqa: DTZ001
def test_instants_go_over_the_wire_in_utc_to_the_millisecond(instant: datetime) -> None:
    written = clock.wire(instant)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", written)
    read = clock.parse(written)
    assert read.tzinfo is not None
    assert 0 <= (instant - read).total_seconds() < 0.001
    assert clock.wire(read) == written


@given(st.uuids(), st.uuids())
def test_a_messages_id_follows_from_sender_and_client_id(sender: UUID, client: UUID) -> None:
    assert ids.message_id(sender, client) == ids.message_id(sender, client) == uuid5(sender, str(client))
    assert ids.message_id(sender, client) != ids.message_id(client, sender) or sender == client


@given(st.uuids())
def test_an_id_is_read_in_its_hyphenated_form_only(one: UUID) -> None:
    assert ids.parse_id(str(one)) == one
    assert ids.parse_id(str(one).upper()) == one
    for other in (one.hex, f"{{{one}}}", f"urn:uuid:{one}", f"{one} ", one, None, 7):
        assert ids.parse_id(other) is None


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(), st.lists, max_leaves=10))
def test_json_comes_back(value: object) -> None:
    assert json.loads(json.dumps(value)) == value


@given(st.binary())
def test_what_is_not_json_is_a_value_error(source: bytes) -> None:
    try:
        json.loads(source)
    except ValueError:
        pass


@pytest.mark.parametrize("source", ["NaN", "[Infinity]", "[" * 100_000, "1" * 5000, '{"a": }', ""])
def test_near_json_is_a_value_error(source: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        json.loads(source)


def test_a_lone_surrogate_is_read_so_that_a_field_can_be_named() -> None:
    assert json.loads('{"content": "\\ud800"}') == {"content": "\ud800"}


@given(st.dictionaries(anything, st.just(["is wrong"]), min_size=1))
def test_a_refusal_can_always_be_sent(fields: dict[str, list[str]]) -> None:
    assert orjson.loads(orjson.dumps(Invalid(fields).wire()))["code"] == "invalid"


def test_only_a_refusal_that_passes_is_temporary() -> None:
    def all_of(kind: type[DomainError]) -> set[type[DomainError]]:
        return {kind} | {each for below in kind.__subclasses__() for each in all_of(below)}

    assert {kind for kind in all_of(DomainError) if kind.temporary} == {OutOfOrder, RateLimited, Unavailable, Held}
    assert RateLimited(0).wire()["retryAfter"] > 0


def test_who_is_staff_and_which_room_is_whose() -> None:
    member, staff = Actor(id=uuid4(), kind="user"), Actor(id=uuid4(), kind="user", role="staff")
    customer = Actor(id=uuid4(), kind="customer", role="admin")
    assert [a.is_staff for a in (member, staff, customer, SYSTEM)] == [False, True, False, False]
    assert [a.is_system for a in (member, staff, customer, SYSTEM)] == [False, False, False, True]
    assert (member.room, customer.room) == (f"user:{member.id}", f"customer:{customer.id}")
