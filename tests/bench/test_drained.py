"""What the drain's benchmark drains is a whole message: else each would be committed by itself, and that measured."""

from __future__ import annotations

import uuid

import pytest

from app.kernel.events import MessageEvent, is_whole
from bench import drained

pytestmark = pytest.mark.fast


def test_what_is_drained_has_all_that_a_message_has() -> None:
    event = drained._event(str(uuid.uuid4()), str(uuid.uuid4()))
    assert is_whole(event)
    assert set(event) == set(MessageEvent.__annotations__)
