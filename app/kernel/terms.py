"""What a search finds words by: pieces that an index can hold, in any script and whatever the database's collation.

A word is found by any part of it of three letters or more (its trigrams); a shorter one only whole. Scripts that put no space
between words (Chinese, Japanese, Korean) are found by single characters and pairs, symbols such as emoji by themselves.
"""

from __future__ import annotations

import re
import unicodedata

GRAM = 3
_SPACELESS = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = re.compile(rf"[{_SPACELESS}]+|[^\W_{_SPACELESS}]+|[^\w\s]|_")
_LETTER = rf"[^\W_{_SPACELESS}]"
_IS_SPACELESS = re.compile(rf"[{_SPACELESS}]")
_PHRASE = re.compile(r'"([^"]*)"|(\S+)')


def fold(text: str) -> str:
    """Write a text so that what reads alike is alike: without case, accents and widths (Unicode NFKC, case folding)."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", "".join(c for c in plain if not unicodedata.combining(c)))


def of(text: str) -> set[str]:
    """Give the pieces of a text."""
    found: set[str] = set()
    for run in _RUN.findall(fold(text)):
        found.update(_pieces(run))
    return found


def _pieces(run: str) -> list[str]:
    if _IS_SPACELESS.match(run):
        return [*run, *(run[at : at + 2] for at in range(len(run) - 1))]
    if not run[0].isalnum():
        return [run] if unicodedata.category(run[0]) in ("So", "Sc") else []
    if len(run) < GRAM:
        return ["=" + run]
    return [run[at : at + GRAM] for at in range(len(run) - GRAM + 1)]


def phrases(query: str) -> list[str]:
    """Split a query into what must all be there: words, and ``"words in quotes"`` together."""
    found = [quoted or word for quoted, word in _PHRASE.findall(query)]
    return [phrase for phrase in (fold(one).strip() for one in found) if phrase]


def wanted(query: str) -> set[str]:
    """Give the pieces that every text found must have; the index gives some more texts, which ``matches`` takes out."""
    return {piece for phrase in phrases(query) for piece in of(phrase)}


def matches(query: str, text: str) -> bool:
    """Tell whether a text has all that a query asks for."""
    folded = fold(text)
    return all(_has(folded, phrase) for phrase in phrases(query))


def _has(folded: str, phrase: str) -> bool:
    """Look for a phrase; what is too short for the index at its ends must end there in the text too."""
    runs = _RUN.findall(phrase)
    before = rf"(?<!{_LETTER})" if runs and phrase.startswith(runs[0]) and _is_short(runs[0]) else ""
    behind = rf"(?!{_LETTER})" if runs and phrase.endswith(runs[-1]) and _is_short(runs[-1]) else ""
    return re.search(before + re.escape(phrase) + behind, folded) is not None


def _is_short(run: str) -> bool:
    return len(run) < GRAM and run[0].isalnum() and not _IS_SPACELESS.match(run)
