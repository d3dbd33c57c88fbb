"""What a digest says: who wrote, where, how much, and the first few messages; not a word of it in the subject."""

from __future__ import annotations

import itertools
import textwrap
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from app.domain import customers, notifications
from app.domain.letters import Waiting
from app.kernel import clock
from app.kernel.limits import COUNT_CAP
from app.kernel.settings import settings
from app.outbound.letters import words
from app.outbound.mail import Mail

CONVERSATIONS_SHOWN = 8
MESSAGES_SHOWN = 5
EXCERPT_MAX = 280
LINES_MAX = 8
WIDTH = 70
ATTACHED = {"image": "a picture", "voice": "a voice message"}
JOINERS = ("\u200d", "\ufe0f")  # they hold the parts of one emoji together


def write(letter: Waiting, person: Any, missed: Sequence[Any], *, now: datetime) -> Mail:
    """Put what someone missed (rows of ``queries/digests.py``, by conversation) into words."""
    groups = [list(rows) for _, rows in itertools.groupby(missed, lambda row: row.conversation_id)]
    groups.sort(key=lambda rows: (not any(r.is_mention for r in rows), rows[0].kind != "direct", rows[0].created_at))
    subject = _subject(groups)
    unsubscribe_url = notifications.unsubscribe_url(letter.profile_id)
    shown = [_section(rows, person.kind, now) for rows in groups[:CONVERSATIONS_SHOWN]]
    text, html = words(
        "digest",
        person=person.display_name,
        is_customer=person.kind == "customer",
        subject=subject,
        sections=shown,
        conversations_more=len(groups) - len(shown),
        url=_way_in(letter, person, groups, now),
        unsubscribe_url=unsubscribe_url,
    )
    return Mail(
        letter.key, person.display_name, person.address, subject, text, html, letter.created_at, unsubscribe_url
    )


def _subject(groups: Sequence[list[Any]]) -> str:
    everything = [row for rows in groups for row in rows]
    named = [row for row in everything if row.is_mention]
    if len(groups) > 1:
        return f"{_count(everything)} in {len(groups)} conversations" + (", one names you" if len(named) == 1 else "")
    senders = list(dict.fromkeys(row.sender for row in everything))
    place = title(everything[0])
    if everything[0].kind == "direct":
        return f"{senders[0]} wrote to you" if len(everything) == 1 else f"{_count(everything)} from {senders[0]}"
    if named:
        return f"{named[0].sender} mentioned you in {place}"
    return f"{senders[0]} wrote in {place}" if len(senders) == 1 else f"{_count(everything)} in {place}"


def _count(rows: Sequence[Any]) -> str:
    if len(rows) == 1:
        return "1 new message"
    return f"{len(rows)} new messages" if len(rows) < COUNT_CAP else f"{COUNT_CAP - 1}+ new messages"


def title(row: Any) -> str:
    """Name the conversation of a row for whom the letter goes to."""
    if row.kind == "direct":
        return str(row.sender)
    if row.kind == "support":
        return str(row.title or ("your conversation with us" if row.is_customer else f"{row.customer}'s conversation"))
    return str(row.title or row.slug or "a group")


def _section(rows: Sequence[Any], kind: str, now: datetime) -> dict[str, Any]:
    shown = [_message(row, now) for row in rows[:MESSAGES_SHOWN]]
    more = len(rows) - len(shown)
    return {
        "title": _capital(title(rows[0])),
        "is_direct": rows[0].kind == "direct",
        "messages": shown,
        "more": f"{more}" if len(rows) < COUNT_CAP else f"more than {more - 1}",
        "is_more": more > 0,
        "url": None if kind == "customer" else f"{settings().public_url}/chat/{rows[0].conversation_id}",
    }


def _message(row: Any, now: datetime) -> dict[str, Any]:
    said = excerpt(row.content) if row.content else f"({ATTACHED.get(row.message_type, 'a file')})"
    return {
        "sender": row.sender,
        "at": _time(row.created_at, now),
        "is_mention": row.is_mention,
        "lines": said.split("\n"),
        "quoted": _quoted(said),
    }


def excerpt(content: str, most: int = EXCERPT_MAX) -> str:
    """Shorten a message to some lines, between words where that is possible, and never within a character."""
    lines = content.splitlines()
    kept = "\n".join(lines[:LINES_MAX])
    if len(kept) > most:
        end = kept.rfind(" ", most - 40, most)
        end = most if end < 0 else end
        while end > 1 and (unicodedata.combining(kept[end]) or kept[end] in JOINERS or kept[end - 1] in JOINERS):
            end -= 1
        return kept[:end].rstrip() + "…"
    return kept.rstrip() + ("…" if len(lines) > LINES_MAX else "")


def _quoted(said: str) -> str:
    wrapped = [part for line in said.split("\n") for part in textwrap.wrap(line, WIDTH, break_long_words=False) or [""]]
    return "\n".join(f"> {line}".rstrip() for line in wrapped)


def _time(at: datetime, now: datetime) -> str:
    at = at.astimezone(clock.UTC)
    return f"{at:%H:%M} UTC" if now - at < timedelta(hours=12) else f"{at.day} {at:%b}, {at:%H:%M} UTC"


def _capital(words_: str) -> str:
    return words_[:1].upper() + words_[1:]


def _way_in(letter: Waiting, person: Any, groups: Sequence[list[Any]], now: datetime) -> str:
    """Give the address that the button leads to. A key stands behind the '#', which no server and no referrer sees."""
    if person.kind == "customer":
        token = customers.letter_token(letter_id=letter.id, customer_id=letter.profile_id, now=now)
        return f"{settings().public_url}/portal" + (f"#{token}" if token else "")
    only = f"/{groups[0][0].conversation_id}" if len(groups) == 1 else ""
    return f"{settings().public_url}/chat{only}"
