"""What cannot become a message is kept as far as PostgreSQL can hold it, and never stops the drain."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, strategies as st

from app.domain import dead_letters

pytestmark = pytest.mark.fast


texts = st.text(alphabet='\x00\\u0"n')


@given(st.recursive(texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)))
def test_what_is_kept_is_json_without_nul(value: object) -> None:
    kept = dead_letters._json(value)
    assert "\x00" not in str(orjson.loads(kept))
    assert orjson.loads(kept) == dead_letters._without_nul(value)
