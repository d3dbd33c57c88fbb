"""The server's first page and the browser's elements call things by the same names."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.web import look

pytestmark = pytest.mark.fast
NAMES = Path(__file__).parents[2] / "app/static/js/view/names.js"
ASK = """
const names = await import(process.argv[1]);
const { sections } = await import(process.argv[1].replace("names.js", "sections.js"));
const { conversations, words } = JSON.parse(process.argv[2]);
console.log(JSON.stringify({
  conversations: conversations.map((one) => [names.title(one, "a"), names.preview(one, "a"), names.subtitle(one)]),
  sections: sections(conversations).map(({ label, items }) => [label, items]),
  words: words.map((word) => [names.hue(word), names.initials(word)]),
}));
"""


def person(profile_id: str, name: str) -> dict[str, Any]:
    return {"id": profile_id, "displayName": name}


def conversation(**changes: Any) -> dict[str, Any]:
    usual = {
        "kind": "group", "title": None, "slug": None, "topic": None, "memberCount": 2, "lastMessage": None,
        "pinned": False, "archived": False, "muted": False, "unreadCount": 0,
        "participants": [person("a", "Ann"), person("b", "Ben Bolt")],
    }  # fmt: skip
    return {**usual, **changes}


def last(sender: str, content: str, deleted_at: str | None = None) -> dict[str, Any]:
    return {"senderId": sender, "sender": {"displayName": "Ben Bolt"}, "content": content, "deletedAt": deleted_at}


CONVERSATIONS = [
    conversation(kind="direct", lastMessage=last("b", "hello")),
    conversation(kind="direct", participants=[person("a", "Ann")], lastMessage=last("a", "to myself")),
    conversation(title="Trip", topic="Lisbon", memberCount=1, lastMessage=last("b", "")),
    conversation(lastMessage=last("b", "", "2026-03-01T10:00:00.000Z")),
    conversation(participants=[person(letter, letter.upper()) for letter in "abcdef"], memberCount=6),
    conversation(kind="room", slug="tea-time"),
    conversation(kind="support", title="Help"),
    conversation(title="News", unreadCount=3),
    conversation(title="Noise", unreadCount=3, muted=True),
    conversation(kind="direct", pinned=True, unreadCount=1),
    conversation(archived=True, pinned=True),
]
WORDS = ["Ann", "ben bolt", "Zoë van der Meer", "李 小龍", "🦊", "0b5e2c9a-7a3f-4c55-9d1e-3f5a7b9c1d2e"]


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js here")
def test_both_sides_use_the_same_names_and_colours() -> None:
    asked = json.dumps({"conversations": CONVERSATIONS, "words": WORDS})
    command = ["node", "--input-type=module", "--eval", ASK, NAMES.as_uri(), asked]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    here = [[look.title(one, "a"), look.preview(one, "a"), look.subtitle(one)] for one in CONVERSATIONS]
    assert answer["conversations"] == here
    assert answer["sections"] == [[label, held] for label, held in look.sections(CONVERSATIONS)]
    assert answer["words"] == [[look.hue(word), look.initials(word)] for word in WORDS]


def test_the_rules_themselves() -> None:
    assert look.title(CONVERSATIONS[0], "a") == "Ben Bolt"
    assert look.title(CONVERSATIONS[4], "a") == "B, C, D and 2 more"
    assert look.preview(CONVERSATIONS[1], "a") == "You: to myself"
    assert look.initials("Zoë van der Meer") == "ZM"
