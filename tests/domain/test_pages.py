"""What was missed, read once for all who missed the same: each has their own marks, and nobody has less than is there."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.live import hot
from tests.domain.conftest import Aside


def change(room: UUID, seq: int) -> Any:
    """Make the event of a message."""
    return {"id": str(uuid4()), "conversationId": str(room), "seq": seq, "changedSeq": seq}


def text(event: Any) -> bytes:
    """Encode an event as it is kept."""
    parts = f'"id":"{event["id"]}","conversationId":"{event["conversationId"]}","seq":{event["seq"]}'
    return f'{{{parts},"changedSeq":{event["changedSeq"]},"content":"é"}}'.encode()


def keep(*events: Any) -> None:
    """Keep changes and their head, as after a commit."""
    room, last = events[-1]["conversationId"], events[-1]
    marks = hot.append(events, [text(event) for event in events])
    hot.found(marks, dict.fromkeys(marks, (last["seq"], (last["id"], last["seq"]))))
    assert hot.heads([room]) == [last["seq"]]


def seqs(room: UUID, after: int, person: UUID | None = None) -> list[int]:
    """Give the positions of what was missed."""
    found = hot.catch_up(room, after, person or uuid4())
    assert found is not None
    return [kept.seq for kept in found.events]


def test_who_missed_the_same_is_given_the_same_with_marks_of_their_own(aside: Aside) -> None:
    room, ann, ben = uuid4(), uuid4(), uuid4()
    first, second = change(room, 1), change(room, 2)
    keep(first, second)
    hot.received({(ben, room): (first["id"], 1)})
    anns, bens = hot.catch_up(room, 0, ann), hot.catch_up(room, 0, ben)
    assert anns is not None
    assert bens is not None
    assert anns.events is bens.events
    assert (anns.received, bens.received) == (None, (first["id"], 1))
    assert [kept.encoded for kept in anns.events] == [text(first), text(second)]
    assert seqs(room, 1) == [2]
    assert seqs(room, 2) == []


def test_what_has_changed_since_is_read(aside: Aside) -> None:
    room = uuid4()
    keep(change(room, 1))
    assert seqs(room, 0) == [1]
    keep(change(room, 2))
    assert seqs(room, 0) == [1, 2]
    hot.distrust([room])
    assert hot.catch_up(room, 0, uuid4()) is None, "only the database can tell"


def test_another_history_with_the_same_head_is_the_databases_to_tell(aside: Aside) -> None:
    room = uuid4()
    keep(change(room, 1))
    assert seqs(room, 0) == [1]
    hot.distrust([room])
    keep(change(room, 1))
    assert hot.catch_up(room, 0, uuid4()) is None
    hot.forget_pages()
    assert seqs(room, 0) == [1]


def test_what_is_kept_has_an_end(aside: Aside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot, "PAGES_MAX", 2)
    rooms = [uuid4() for _ in range(5)]
    for room in rooms:
        keep(change(room, 1))
        assert seqs(room, 0) == [1]
        assert len(hot._pages) <= 2
    monkeypatch.setattr(hot, "PAGE_S", 0.0)
    hot.forget_pages()
    one, two = (hot.catch_up(rooms[0], 0, uuid4()) for _ in range(2))
    assert one is not None
    assert two is not None
    assert one.events is not two.events
