"""Cursors: what was written is read, anything else is refused by name."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from app.kernel import cursor
from app.kernel.clock import UTC
from app.kernel.errors import Invalid

pytestmark = pytest.mark.fast


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_a_word_comes_back(place: str) -> None:
    assert cursor.to_text(cursor.of_text(place)) == place


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_an_instant_comes_back(at: datetime, last_id: UUID) -> None:
    assert cursor.to_instant(cursor.of_instant((at, last_id))) == (at, last_id)


@given(st.text())
def test_any_other_text_is_refused_by_name_or_harmless(given_text: str) -> None:
    for read in (cursor.to_text, cursor.to_instant):
        fields = _refused_fields(read, given_text)
        assert fields in (None, ["cursor"])


def _refused_fields(read: Callable[[str], object], given_text: str) -> list[str] | None:
    try:
        read(given_text)
    except Invalid as refusal:
        return list(refusal.fields or [])
    return None


@given(st.recursive(st.none() | st.integers() | st.text(st.characters(codec=None)), st.lists))
def test_a_forged_cursor_gives_nothing_that_the_database_cannot_take(parts: object) -> None:
    forged = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
    try:
        found = cursor.to_text(forged)
    except Invalid:
        return
    assert "\x00" not in found
    found.encode()


def test_no_cursor_is_the_beginning() -> None:
    assert cursor.to_text(None) == ""
    assert cursor.to_instant(None) is None
    assert cursor.of_text(None) is None
    assert cursor.of_instant(None) is None
