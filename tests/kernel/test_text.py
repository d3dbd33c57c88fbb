"""What text may be."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, strategies as st

from app.kernel import text

pytestmark = pytest.mark.fast
anything = st.text(st.characters(codec=None, exclude_categories=()))


@given(anything)
def test_content_is_trimmed_and_storable_or_refused(given_text: str) -> None:
    try:
        found = text.content(given_text)
    except ValueError:
        trimmed = text.trim(given_text)
        assert "\x00" in given_text or len(trimmed) > 4000 or any(unicodedata.category(c) == "Cs" for c in given_text)
        return
    assert found == text.trim(given_text)
    assert found == text.content(found)
    found.encode()


@pytest.mark.parametrize("code", [0x09, 0x0A, 0x20, 0x85, 0xA0, 0x1680, 0x2003, 0x2028, 0x202F, 0x205F, 0x3000])
def test_unicode_white_space_is_trimmed(code: int) -> None:
    assert text.content(f"{chr(code)}x{chr(code)}") == "x"


@pytest.mark.parametrize("code", [0x1C, 0x1F, 0x200B, 0xFEFF])
def test_what_unicode_does_not_call_white_space_stays(code: int) -> None:
    assert text.content(f"{chr(code)}x") == f"{chr(code)}x"


def test_the_limit_counts_code_points_after_trimming() -> None:
    assert len(text.content(" " + "😀" * 4000 + "\n")) == 4000
    with pytest.raises(ValueError, match="at most 4000"):
        text.content("😀" * 4001)


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("@ann hello", ["ann"]),
        ("hello @Ann, @ben.", ["ann", "ben"]),
        ("@ann @ANN @ann", ["ann"]),
        ("mail ann@example.org", []),
        ("@@ann", []),
        ("(@ann)", ["ann"]),
        ("@a.b-c_d!", ["a.b-c_d"]),
    ],
)
def test_mentions_are_words_that_begin_with_an_at_sign(said: str, named: list[str]) -> None:
    assert text.mentioned_usernames(said) == named


@given(anything)
def test_looking_for_mentions_never_fails(said: str) -> None:
    assert all(name == name.lower() for name in text.mentioned_usernames(said))
