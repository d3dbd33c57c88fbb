"""The rules of text, without a server."""

from __future__ import annotations

import unicodedata

import pytest

from app.kernel import text
from app.kernel.events import is_whole
from app.kernel.ids import message_id, new_id

pytestmark = pytest.mark.fast


def test_white_space_is_unicodes_property_and_not_pythons_idea_of_it() -> None:
    for letter in map(chr, range(0x11_0000)):
        if letter in text.WHITE_SPACE:
            assert letter.isspace()
        elif letter.isspace():
            assert letter in "\x1c\x1d\x1e\x1f", f"U+{ord(letter):04X} {unicodedata.name(letter, '')}"


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("@ann", ["ann"]),
        ("hi @Ann, @ben.", ["ann", "ben"]),
        ("(@ann) @ann", ["ann"]),
        ("mail@ann.org a@ann", []),
        ("@a-b_c.d!", ["a-b_c.d"]),
        ("@@ann", []),
        ("@ ann", []),
        ("http://x/@ann", []),
    ],
)
def test_a_mention_is_a_word_that_begins_with_an_at_sign(said: str, named: list[str]) -> None:
    assert text.mentioned_usernames(said) == named


def draft(**changed: object) -> dict[str, object]:
    sender, key = new_id(), new_id()
    whole = {
        "id": str(message_id(sender, key)), "conversationId": str(new_id()), "senderId": str(sender),
        "clientMessageId": str(key), "content": "hello", "messageType": "text", "senderType": "user",
        "createdAt": "2026-11-21T03:14:15.926Z", "replyToId": None, "threadRootId": None, "metadata": {},
    }  # fmt: skip
    return {name: value for name, value in {**whole, **changed}.items() if value != "absent"}


def test_a_whole_message_is_told_from_a_broken_one() -> None:
    assert is_whole(draft())
    assert is_whole(draft(replyToId=str(new_id()), more="is fine"))
    for name in draft():
        assert not is_whole(draft(**{name: "absent"})), name
        assert not is_whole(draft(**{name: 7})), name
        assert not is_whole(draft(**{name: ["x"]})), name
    assert not is_whole(draft(id=str(new_id()))), "an id that is not derived would lose every race"
    assert not is_whole(draft(conversationId="not a uuid"))
    assert not any(is_whole(other) for other in (None, [], "text", 7, {}))
