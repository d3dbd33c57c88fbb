"""The filter of known ids says "no" only while it holds all of them: whatever happens while it is being filled."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import pytest

from app.domain import groupcommit, modes, remembering
from app.live import log, membership, seen
from tests.domain.conftest import Aside


@pytest.fixture(params=["a page", "many pages"])
def by_pages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill once from one page, whose ids go to the log's Redis, and once from several, of which a filter is built first."""
    if request.param == "many pages":
        monkeypatch.setattr(remembering, "PAGE", 2)


@pytest.fixture(autouse=True)
def unknown(aside: Aside) -> Iterator[None]:
    aside.inside.log.delete(seen.COMPLETE, seen.FILLING, seen.FILTER)
    remembering._begun[0] = ""
    remembering._committed.clear()
    yield
    aside.inside.log.delete(seen.COMPLETE, seen.FILLING, seen.FILTER)


def holds(aside: Aside, message_id: str) -> bool:
    bits = seen.bits(uuid.UUID(message_id)).split(",")
    asked = [part for bit in bits for part in ("GET", "u1", bit)]
    return all(aside.inside.log.execute_command("BITFIELD", seen.FILTER, *asked))


def committed(aside: Aside, name: str, count: int = 3) -> list[str]:
    room = aside.room(name)
    found = [aside.accept(room, f"line {n}")["id"] for n in range(count)]
    aside.drain()
    aside.inside.log.delete(seen.FILTER)
    return found


@pytest.mark.usefixtures("by_pages")
def test_a_lost_filter_is_filled_and_declared_complete(aside: Aside, name: str) -> None:
    ids = committed(aside, name)
    assert seen.filling() != ""
    remembering.fill()
    assert seen.filling() == ""
    assert all(holds(aside, one) for one in ids)
    assert not holds(aside, str(uuid.uuid4()))
    assert [key for key in aside.inside.log.keys(f"{seen.FILTER}*") if key != seen.FILTER.encode()] == []


def test_a_filter_that_is_built_has_the_bits_of_one_that_was_told_each_id(aside: Aside) -> None:
    ids = [uuid.uuid4() for _ in range(300)]
    seen.add(map(str, ids[:200]))
    built = seen.Built()
    built.put(b"".join(one.bytes for one in ids[100:]))
    built.merge()
    merged = aside.inside.log.get(seen.FILTER)
    aside.inside.log.delete(seen.FILTER)
    seen.add(map(str, ids))
    told = aside.inside.log.get(seen.FILTER)
    assert merged is not None
    assert told is not None
    assert merged.rstrip(b"\0") == told.rstrip(b"\0")


def test_a_filter_distrusted_while_it_is_filled_is_not_declared_complete(aside: Aside) -> None:
    word = seen.filling()
    seen.distrust()  # somebody has committed past the log what the filler has passed already
    assert seen.filling(done=word) not in ("", word)
    assert not aside.inside.log.exists(seen.COMPLETE)


@pytest.mark.usefixtures("by_pages")
@pytest.mark.parametrize("when", ["while it is read", "after all is read"])
def test_a_filter_lost_while_it_is_filled_is_not_declared_complete(
    aside: Aside, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(aside, name="n" + uuid.uuid4().hex[:12])
    take_in = remembering._take_in_all

    def lose_it(stopping: threading.Event | None) -> bool:
        monkeypatch.setattr(remembering, "_take_in_all", take_in)
        is_whole = when == "while it is read" or take_in(stopping)
        aside.inside.log.delete(seen.COMPLETE, seen.FILLING, seen.FILTER)
        return is_whole

    monkeypatch.setattr(remembering, "_take_in_all", lose_it)
    remembering.fill()
    stored = [str(row[0]) for row in aside.inside.rows("SELECT id FROM messages")]
    assert seen.filling() == ""
    assert stored
    assert all(holds(aside, one) for one in stored)


@pytest.mark.usefixtures("by_pages")
def test_a_message_that_is_changed_while_it_is_read_is_not_passed_over(
    aside: Aside, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that is written anew lies elsewhere, perhaps where was read already."""
    ids = committed(aside, name, count=8)
    add, put, written = seen.add, seen.Built.put, list[str]()

    def write_anew() -> None:
        for one in set(ids) - set(written):
            aside.inside.rows("UPDATE messages SET reply_count = reply_count + 1 WHERE id = %s", one)
            written.append(one)

    monkeypatch.setattr(seen, "add", lambda given: (write_anew(), add(given)))
    monkeypatch.setattr(seen.Built, "put", lambda built, given: (write_anew(), put(built, given)))
    remembering.fill()
    assert sorted(written) == sorted(ids)
    assert all(holds(aside, one) for one in ids)


def test_what_is_committed_past_the_log_while_it_is_filled_is_in_it_when_it_is_complete(
    aside: Aside, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(aside, name, count=8)
    monkeypatch.setattr(remembering, "PAGE", 2)
    monkeypatch.setattr(remembering, "COMMITTED_MAX", 2)  # more than a page's worth at once would have it distrusted
    put, new = seen.Built.put, list[str]()

    def commit_meanwhile(built: seen.Built, ids: bytes) -> None:
        put(built, ids)
        new.append(str(uuid.uuid4()))
        remembering.committed_past_the_log(new[-1:])

    monkeypatch.setattr(seen.Built, "put", commit_meanwhile)
    remembering.fill()
    assert len(new) > 2
    assert all(holds(aside, one) for one in new)


def test_who_is_told_to_stop_declares_nothing_complete(
    aside: Aside, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(aside, name)
    monkeypatch.setattr(remembering, "PAGE", 2)
    stopping = threading.Event()
    stopping.set()
    remembering.fill(stopping)
    assert not aside.inside.log.exists(seen.COMPLETE)


@pytest.mark.parametrize("mark", [seen.COMPLETE, seen.FILLING])
def test_what_an_old_copy_says_of_the_filter_is_not_believed(aside: Aside, mark: str) -> None:
    word = "0" * 40 + ":of another life"
    aside.inside.log.set(mark, word)
    membership_key = membership.member_key(uuid.uuid4(), uuid.uuid4())
    aside.inside.log.set(membership_key, "1")
    assert seen.filling() not in ("", word)
    remembering.fill()
    assert seen.filling() == ""
    assert not aside.inside.log.exists(membership_key), "a membership that may have ended since the copy"


def test_two_who_fill_at_once_both_come_to_an_end(aside: Aside) -> None:
    word = seen.filling()
    assert seen.filling() == word
    assert seen.filling(done=word) == ""
    assert seen.filling(done=word) == ""


def test_a_message_committed_past_the_log_is_put_into_a_complete_filter(aside: Aside) -> None:
    remembering.fill()
    one = str(uuid.uuid4())
    remembering.committed_past_the_log([one])
    remembering.tell_filter()
    assert seen.filling() == ""
    assert holds(aside, one)


def test_what_is_written_from_memory_after_the_log_was_lost_is_put_into_the_filter(aside: Aside, name: str) -> None:
    """Else the sender's next message, which names it as the one before, would be out of order for ever."""
    room = aside.room(name)
    aside.accept(room, "accepted, and lost with the log")
    event = log.read()[0][0].event
    aside.inside.log.flushdb()
    remembering.fill()
    assert not holds(aside, event["id"])
    groupcommit.write_again([event])
    remembering.tell_filter()
    assert seen.filling() == ""
    assert holds(aside, event["id"])


@pytest.mark.parametrize("why", ["too many", "through, and not complete"])
def test_a_filter_that_is_not_told_is_distrusted(aside: Aside, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    word = seen.filling()
    if why == "too many":
        monkeypatch.setattr(remembering, "COMMITTED_MAX", 0)
    else:
        monkeypatch.setattr(modes, "is_behind", lambda: False)
    remembering.committed_past_the_log([str(uuid.uuid4())])
    remembering.tell_filter()
    monkeypatch.undo()
    assert seen.filling() not in ("", word)


def test_the_accept_asks_the_database_until_the_filter_is_complete(aside: Aside, name: str) -> None:
    """What the mark is for: without it even an unknown id is verified."""
    room = aside.room(name)
    aside.accept(room, "first")
    event = log.read()[0][0].event
    fresh = {**event, "id": str(uuid.uuid4()), "clientMessageId": str(uuid.uuid4())}
    assert log.accept(fresh, after=None).kind == "verify"  # type: ignore[arg-type]
    remembering.fill()
    aside.drain()
    assert log.accept(fresh, after=None).kind == "member?"  # type: ignore[arg-type]
