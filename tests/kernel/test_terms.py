"""What a search finds words by."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from app.kernel import terms

pytestmark = pytest.mark.fast


def finds(query: str, text: str) -> bool:
    """Search as the server does: by the index, then by looking."""
    by_index = terms.wanted(query) <= terms.of(text)
    if terms.matches(query, text):
        assert by_index, "the index would have missed it"
    return by_index and terms.matches(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("hello", "Hello, world"), ("ell", "Hello"), ("HELLO wor", "world hello"), ('"b c"', "a b c d"), ("ok", "that is OK!"),
        ("a", "a letter"), ("uber", "Über uns"), ("ÜBER", "uber"), ("привет", "Ну, ПРИВЕТ!"), ("猫", "私は猫が好き"),
        ("猫が", "私は猫が好き"), ("好き", "私は猫が好き"), ("한국", "대한국민"), ("👍", "well 👍"), ("ﬁne", "it is fine"),
        ("v2.10", "since v2.10 only"), ("snake_case_name", "a snake_case_name here"), ("1/2", "take 1/2 of"),
        ("日本 go", "go 日本へ"),
        ("ελλάδα", "ΕΛΛΆΔΑ"), ("สวัสดี", "สวัสดีครับ"), ("100€", "for 100€ only"),
    ],
)  # fmt: skip
def test_what_reads_alike_is_found(query: str, text: str) -> None:
    assert finds(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("hello", "help"),
        ("ok", "okay"),
        ("a", "all"),
        ('"a c"', "a b c"),
        ("猫犬", "猫と犬"),
        ("abcd", "abc bcd"),
        ("👎", "👍"),
    ],
)
def test_what_reads_otherwise_is_not(query: str, text: str) -> None:
    assert not finds(query, text)


@given(st.text(max_size=40), st.integers(0, 30), st.integers(3, 12))
def test_the_index_misses_no_part_of_a_text(text: str, start: int, length: int) -> None:
    finds(text[start : start + length], text)


def test_only_marks_ask_for_nothing() -> None:
    assert terms.wanted("!? ...") == set()
