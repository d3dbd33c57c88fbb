"""What text may be: the rules of ``content`` and of names, the same wherever text enters."""

from __future__ import annotations

import re

CONTENT_MAX = 4000
WHITE_SPACE = "".join(
    map(
        chr,
        [*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000],
    )
)  # Unicode's White_Space property; str.strip() would also take U+001C to U+001F
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_MENTION = re.compile(r"(?<![\w@./-])@([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,28}[A-Za-z0-9_])?)(?![\w@])")


def trim(text: str) -> str:
    """Take Unicode white space off both ends."""
    return text.strip(WHITE_SPACE)


def storable(text: str) -> str:
    """Give the text back if PostgreSQL can keep it; raises ValueError with a sentence if not."""
    if "\x00" in text:
        raise ValueError("must not contain the NUL character")
    if not text.isascii() and _LONE_SURROGATE.search(text):
        raise ValueError("must not contain a lone surrogate")
    return text


def content(text: str) -> str:
    """Trim and check the text of a message: 0 to 4000 code points (whether it may be empty is the caller's rule)."""
    trimmed = trim(storable(text))
    if len(trimmed) > CONTENT_MAX:
        raise ValueError(f"must be at most {CONTENT_MAX} characters")
    return trimmed


def mentioned_usernames(text: str) -> list[str]:
    """Find the ``@username`` words of a message, lower-cased, each once, in order."""
    return list(dict.fromkeys(name.lower() for name in _MENTION.findall(text)))
