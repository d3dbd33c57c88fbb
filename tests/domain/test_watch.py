"""Looking after what was accepted: nothing is called lost that has only just been stored."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest

from app.domain import groupcommit, unsettled, watch
from app.extensions import redis
from app.live.shards import STREAM
from tests.domain.conftest import Aside


@pytest.mark.parametrize("is_stored", [True, False])
def test_what_is_stored_between_the_look_at_the_database_and_at_the_log_is_not_lost(
    aside: Aside, monkeypatch: pytest.MonkeyPatch, is_stored: bool
) -> None:
    room = aside.room(f"watched-{is_stored}".lower())
    sent = aside.accept(room, "on its way")
    pending, written = watch.message_log.pending, list[Any]()

    def look(message_id: UUID) -> Any:
        if is_stored:
            aside.drain()
            return pending(message_id)
        return None  # the log has lost it

    monkeypatch.setattr(watch, "RECHECK_AFTER_S", 0.0)
    monkeypatch.setattr(watch.message_log, "pending", look)
    monkeypatch.setattr(groupcommit, "write_again", written.extend)
    watch._recheck()
    assert [event["id"] for event in written] == ([] if is_stored else [sent["id"]])
    aside.drain()


class OneTurn(threading.Event):
    """Stops what waits with it at its second wait."""

    has_waited = False

    def wait(self, timeout: float | None = None) -> bool:
        if self.has_waited:
            self.set()
        self.has_waited = True
        return self.is_set()


def test_all_that_a_lost_log_held_is_written_at_once_however_much_it_was(
    aside: Aside, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = aside.room("lost-with-the-log")
    sent = [aside.accept(room, f"held {number}")["id"] for number in range(5)]
    unsettled._waiting[sent[0]] = unsettled._waiting.pop(sent[0])  # as if it had been acked at its second try
    redis.log.delete(STREAM, f"pending:{room}", *(f"accepted:{one}" for one in sent))
    monkeypatch.setattr(watch, "RECHECK_AFTER_S", 0.0)
    monkeypatch.setattr(watch, "AT_ONCE", 2)
    watch.look_after(OneTurn())
    assert [message["content"] for message in aside.history(room)] == [f"held {number}" for number in range(5)]
