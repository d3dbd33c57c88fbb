"""Looking after what was accepted: nothing is called lost that has only just been stored."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from app.domain import groupcommit, watch
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
