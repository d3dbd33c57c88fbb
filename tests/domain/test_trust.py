"""What is believed of a credential without asking again, and what ends that."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from app.domain import hearing, trust
from app.kernel.actor import Actor
from app.kernel.errors import Unauthenticated

pytestmark = pytest.mark.fast


class Silent:
    """An ear that has heard nothing for long."""

    heard_at = -1000.0


@pytest.fixture
def ann(monkeypatch: pytest.MonkeyPatch) -> Actor:
    """Somebody whose session was read at the door two seconds ago, and cannot be read again."""
    actor = Actor(id=uuid4(), kind="user", username="ann", session_id=uuid4())
    monkeypatch.setattr(trust, "_read_session", lambda *_: None)
    monkeypatch.setattr(trust, "_known", {actor.session_id: trust.Known(actor, None, time.monotonic() - 1.1)})
    return actor


def test_what_was_read_at_the_door_holds_while_no_end_is_heard_of(ann: Actor) -> None:
    assert trust.behind(ann, since=trust.forgets()).actor == ann


def test_it_is_read_again_once_any_end_is_heard_of(ann: Actor) -> None:
    since = trust.forgets()
    trust.forget(uuid4())
    with pytest.raises(Unauthenticated):
        trust.behind(ann, since=since)


def test_it_is_read_again_by_a_process_that_hears_nothing(ann: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "_ears", [Silent()])
    with pytest.raises(Unauthenticated):
        trust.behind(ann, since=trust.forgets())


def test_at_any_other_time_it_is_believed_for_less_than_a_second(ann: Actor) -> None:
    with pytest.raises(Unauthenticated):
        trust.behind(ann)
