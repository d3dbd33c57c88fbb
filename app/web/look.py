"""What things are called and how their picture looks, on the server's first page.

The same rules as `names.js` and `sections.js` in `static/js/view`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

Wire = Mapping[str, Any]

HUES = 12
HOMES = {"direct": "Direct", "group": "Groups", "room": "Rooms", "support": "Support"}
SECTIONS = ("Pinned", "Unread", *HOMES.values(), "Archived")
# The first mark that is found counts: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
BROWSERS = (
    ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


def hue(profile_id: str) -> int:
    """Pick the colour of a picture: the same for one id, everywhere."""
    return sum(map(ord, profile_id)) % HUES


def initials(name: str) -> str:
    """Give the one or two letters that stand for a picture."""
    words = name.split() or ["?"]
    last = words[-1][0] if len(words) > 1 else ""
    return (words[0][0] + last).upper()


def others(conversation: Wire, actor_id: str) -> list[Wire]:
    """List the participants without the reader."""
    return [one for one in conversation["participants"] if one["id"] != actor_id]


def title(conversation: Wire, actor_id: str) -> str:
    """Name a conversation as this reader sees it."""
    if conversation["title"]:
        return str(conversation["title"])
    if conversation["kind"] == "room" and conversation["slug"]:
        return str(conversation["slug"])
    names = [str(one["displayName"]) for one in others(conversation, actor_id)]
    if not names:
        return "Only you"
    if len(names) > 3:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return ", ".join(names)


def sections(conversations: Iterable[Wire]) -> list[tuple[str, list[Wire]]]:
    """Sort the list's conversations under its headings, those that hold something."""
    found: dict[str, list[Wire]] = {name: [] for name in SECTIONS}
    for one in conversations:
        found[_section(one)].append(one)
    return [(name, held) for name, held in found.items() if held]


def _section(conversation: Wire) -> str:
    if conversation["archived"]:
        return "Archived"
    if conversation["pinned"]:
        return "Pinned"
    if conversation["unreadCount"] and not conversation["muted"]:
        return "Unread"
    return HOMES[conversation["kind"]]


def preview(conversation: Wire, actor_id: str) -> str:
    """Tell in one line what was said last."""
    last = conversation["lastMessage"]
    if not last:
        return "No messages yet"
    text = "Message deleted" if last["deletedAt"] else last["content"] or "Attachment"
    if last["senderId"] == actor_id:
        return f"You: {text}"
    return text if conversation["kind"] == "direct" else f"{last['sender']['displayName']}: {text}"


def subtitle(conversation: Wire) -> str:
    """Tell in one line what kind of conversation it is."""
    if conversation["kind"] == "direct":
        return "Direct conversation"
    count = conversation.get("memberCount") or len(conversation["participants"])
    members = f"{count} {'member' if count == 1 else 'members'}"
    return f"{members} · {conversation['topic']}" if conversation["topic"] else members


def clock(iso: str) -> str:
    """Give the time of day, in UTC until the page knows the reader's zone."""
    return iso[11:16]


def day(iso: str) -> str:
    """Give the day and time of an instant, in UTC, as pages without a script show it."""
    return f"{datetime.fromisoformat(iso):%-d %b %Y, %H:%M} UTC"


def browser(user_agent: str) -> str:
    """Name the browser and the system of a session, roughly, as its owner would."""
    itself = user_agent.partition("/")[0] or "Unknown program"
    program = next((name for mark, name in BROWSERS if mark in user_agent), itself)
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return f"{program} on {system}" if system else program


FILTERS: dict[str, Callable[..., object]] = {
    "hue": hue,
    "initials": initials,
    "others": others,
    "conversation_title": title,
    "preview": preview,
    "sections": sections,
    "subtitle": subtitle,
    "clock": clock,
    "day": day,
    "browser": browser,
}
