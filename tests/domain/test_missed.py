"""What was missed, from the database: those who ask together are answered by two queries, each as if they had asked alone."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from app.domain import delivery, missed
from app.domain.delivery import KnownMember
from app.domain.missed import _Asked
from app.kernel import json
from app.kernel.actor import Actor
from app.live import hot
from app.models import Transaction
from app.queries import missed as views
from tests.domain.conftest import Aside
from tests.support.statements import statements

EVERYTHING = 200


@pytest.fixture(scope="module")
def late(aside: Aside) -> dict[str, str]:
    """Somebody who joins after the second of five messages."""
    return aside._register(f"late-{uuid4().hex[:8]}")


@pytest.fixture(scope="module")
def room(aside: Aside, late: dict[str, str]) -> str:
    """A group of five messages; who joins later reads from there on."""
    body = {"kind": "group", "title": "missed", "members": [aside.ben["username"]]}
    made = str(aside.call(aside.ann, "POST", "/conversations", body)["conversation"]["id"])
    for number in (1, 2):
        aside.accept(made, f"{number}")
    aside.drain()
    aside.call(aside.ann, "POST", f"/conversations/{made}/members", {"username": late["username"]})
    ids = [aside.accept(made, f"{number}")["id"] for number in (3, 4, 5)]
    aside.drain()
    aside.call(aside.ben, "POST", "/messages/mark-received", {"roomId": made, "messageId": ids[1]})
    return made


def asked(who: dict[str, str], room: str, after: int | None, limit: int = EVERYTHING) -> _Asked:
    """Make a question."""
    return _Asked(UUID(who["id"]), UUID(room), after, limit)


def contents(found: missed.Found) -> list[str]:
    """List what the messages of a page say."""
    return [json.loads(one)["content"] for one in found.part.encoded]


def alone(question: _Asked) -> missed.Found | None:
    """Ask as if nobody had before."""
    missed.forget()
    return missed._read_all([question])[0]


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """Begin without the pages of the test before."""
    missed.forget()


def test_each_is_answered_as_if_they_had_asked_alone_and_all_by_two_queries(
    aside: Aside, room: str, late: dict[str, str]
) -> None:
    questions = [
        asked(aside.ann, room, 0),
        asked(aside.ben, room, 0),
        asked(aside.ben, room, None),
        asked(aside.ben, room, 1, limit=2),
        asked(late, room, 0),
        asked(aside.ann, room, 5),
        asked(aside.ann, room, 99),
        asked(aside.ann, str(uuid4()), 0),
        _Asked(uuid4(), UUID(room), 0, EVERYTHING),
    ]
    with statements() as run:
        together = missed._read_all(questions)
    assert len(run) == 2
    assert together == [alone(question) for question in questions]
    shown = [found and (contents(found), found.part.up_to, found.part.more) for found in together]
    everything = ["1", "2", "3", "4", "5"]
    assert shown == [
        (everything, 5, False), (everything, 5, False), (["5"], 5, False), (["2", "3"], 3, True), (everything[2:], 5, False),
        ([], 5, False), ([], 5, False), None, None,
    ]  # fmt: skip
    hers, his = together[:2]
    assert hers is not None
    assert his is not None
    assert his.part is hers.part  # and so it is encoded once
    assert (his.standing.received or ("", 0))[1] == 4


def test_who_came_later_is_shown_no_place_before(aside: Aside, room: str, late: dict[str, str]) -> None:
    (found,) = missed._read_all([asked(late, room, None)])
    assert found is not None
    assert found.standing.received is None or found.standing.received[1] > found.standing.history_from_seq
    assert (found.standing.latest or ("", 0))[1] == 5


def test_a_page_read_a_moment_ago_is_given_again_while_the_conversation_stands_where_it_stood(
    aside: Aside, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    question, other = asked(aside.ann, room, 2), asked(aside.ben, room, 2)
    (first,) = missed._read_all([question])
    with statements() as run:
        (again,) = missed._read_all([other])
    assert first is not None
    assert again is not None
    assert (len(run), again.part) == (1, first.part)
    aside.accept(room, "more")
    aside.drain()
    (moved,) = missed._read_all([question])
    assert moved is not None
    assert contents(moved) == [*contents(first), "more"]
    monkeypatch.setattr(missed, "KEPT_S", -1.0)
    missed.forget()
    for _ in range(2):
        with statements() as run:
            missed._read_all([question])
        assert len(run) == 2


def test_no_more_is_kept_than_may_be(aside: Aside, room: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missed, "KEPT_EVENTS_MAX", 7)
    for after in (0, 1, 2):
        missed._read_all([asked(aside.ann, room, after)])
        assert sum(len(part.encoded) for _, _, part in missed._kept.values()) <= 7
    assert missed._kept


def member_asks(who: dict[str, str], room: str, after: int) -> list[str]:
    """Catch up as a known member does; gives the statements that took."""
    actor = Actor(kind="user", id=UUID(who["id"]))
    with statements() as run:
        delivery.catch_up(actor, conversation_id=UUID(room), after=after, known=KnownMember(0))
    return run


def test_where_a_conversation_stands_is_asked_once_after_the_cache_lost_it(aside: Aside, room: str) -> None:
    head = aside.inside.head(room)
    hot.distrust([room])
    hot.forget_received([(UUID(room), UUID(aside.ann["id"]))])
    assert len(member_asks(aside.ann, room, head)) == 2
    assert member_asks(aside.ann, room, head) == []
    assert len(member_asks(aside.ann, room, head - 1)) > 0, "what there was is still the database's to tell"
    hot.forget_received([(UUID(room), UUID(aside.ann["id"]))])
    assert len(member_asks(aside.ann, room, head)) == 1
    assert member_asks(aside.ann, room, head) == []


def test_a_message_that_comes_while_it_is_found_out_where_a_conversation_stands_is_not_passed_over(
    aside: Aside, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot.distrust([room])
    head, read = aside.inside.head(room), views.standings

    def slow(tx: Transaction, asked: Sequence[tuple[UUID, UUID]]) -> list[views.Standing | None]:
        found = read(tx, asked)
        aside.accept(room, "meanwhile")
        aside.drain()
        return found

    with monkeypatch.context() as patched:
        patched.setattr(views, "standings", slow)
        member_asks(aside.ann, room, head)
    assert hot.heads([room]) == [head + 1]


def test_who_is_not_known_to_be_a_member_leaves_nothing_in_the_cache(aside: Aside, room: str) -> None:
    nowhere = str(uuid4())
    hot.distrust([room])
    missed._read_all([asked(aside.ann, room, 0), asked(aside.ann, nowhere, 0)])
    assert hot.kept_heads([UUID(room), UUID(nowhere)]) == {}
