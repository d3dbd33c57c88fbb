"""Pages of history: by position, ascending, saying whether there is more on either side."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.cast import Cast
from tests.support.clients import Event
from tests.support.doors import RestDoor, committed
from tests.support.inside import Inside


@pytest.fixture
def told(cast: Cast, name: str, inside: Inside) -> tuple[str, list[Event]]:
    """A room of ten messages at positions 1 to 10, and two changes at 11 and 12."""
    room = cast.room(name, cast.ben)
    inside.fill(room, cast.ann.id, 10)
    first = cast.ben.history(room)[0]
    RestDoor(cast.ben).react(first["id"], "👍")
    RestDoor(cast.ben).react(first["id"], "🎉")
    return room, cast.ben.history(room)


def page(cast: Cast, room: str, **query: Any) -> tuple[list[int], bool, bool]:
    found = cast.ben.ok("GET", f"/conversations/{room}/messages", params=query)
    assert found["upToSeq"] == 12
    return [item["seq"] for item in found["items"]], found["hasBefore"], found["hasAfter"]


def test_without_a_pivot_the_newest_page_comes(cast: Cast, told: tuple[str, list[Event]]) -> None:
    room, everything = told
    assert [m["seq"] for m in everything] == list(range(1, 11))
    assert page(cast, room) == (list(range(1, 11)), False, False)
    assert page(cast, room, limit=4) == ([7, 8, 9, 10], True, False)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"before": 7, "limit": 3}, ([4, 5, 6], True, True)),
        ({"before": 4, "limit": 3}, ([1, 2, 3], False, True)),
        ({"before": 11, "limit": 2}, ([9, 10], True, False)),
        ({"before": 12, "limit": 20}, (list(range(1, 11)), False, False)),
        ({"before": 1}, ([], False, True)),
        ({"after": 7, "limit": 2}, ([8, 9], True, True)),
        ({"after": 8, "limit": 2}, ([9, 10], True, False)),
        ({"after": 0, "limit": 3}, ([1, 2, 3], False, True)),
        ({"after": 10}, ([], True, False)),
        ({"around": 5, "limit": 3}, ([4, 5, 6], True, True)),
        ({"around": 1, "limit": 4}, ([1, 2, 3, 4], False, True)),
        ({"around": 10, "limit": 4}, ([7, 8, 9, 10], True, False)),
        ({"around": 5, "limit": 1}, ([5], True, True)),
        ({"around": 12, "limit": 2}, ([9, 10], True, False)),
    ],
    ids=str,
)
def test_a_page_holds_what_lies_there_and_says_what_lies_beyond(
    cast: Cast, told: tuple[str, list[Event]], query: dict[str, int], expected: tuple[list[int], bool, bool]
) -> None:
    assert page(cast, told[0], **query) == expected


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"before": -1}, {"after": 1, "before": 5}, {"at": 3}])
def test_a_page_that_cannot_be_is_refused(cast: Cast, told: tuple[str, list[Event]], query: dict[str, int]) -> None:
    status, error = cast.ben.refused("GET", f"/conversations/{told[0]}/messages", params=query)
    assert (status, error["code"]) == (422, "invalid")
    assert error["fields"]


def test_paging_back_gives_every_message_once(cast: Cast, told: tuple[str, list[Event]]) -> None:
    room, everything = told
    found: list[Event] = []
    query: dict[str, int] = {}
    while True:
        answer = cast.ben.ok("GET", f"/conversations/{room}/messages", params={"limit": 3, **query})
        found = answer["items"] + found
        if not answer["hasBefore"]:
            break
        query = {"before": answer["items"][0]["seq"]}
    assert found == everything


def test_the_newest_page_ends_with_what_is_accepted_and_not_committed(
    cast: Cast, name: str, mode: str, inside: Inside
) -> None:
    if mode == "through":
        pytest.skip("through accepts nothing that is not committed")
    room = cast.room(name, cast.ben)
    first = RestDoor(cast.ann).say(room, "committed")
    with inside.held(room):
        waiting = [RestDoor(cast.ann).send(room, f"waiting {n}") for n in range(2)]
        found = cast.ben.ok("GET", f"/conversations/{room}/messages")
        assert [(m["id"], m["persisted"], m["seq"]) for m in found["items"]] == [
            (first["id"], True, 1),
            *[(m["id"], False, None) for m in waiting],
        ]
        assert found["upToSeq"] == 1
        older = cast.ben.ok("GET", f"/conversations/{room}/messages", params={"before": 2})
        assert [m["id"] for m in older["items"]] == [first["id"]]
        assert RestDoor(cast.ben).catch_up(room, after=0)["messages"] == [first]
    finals = [committed(cast.ben, m["id"]) for m in waiting]
    assert cast.ben.history(room) == [first, *finals]
