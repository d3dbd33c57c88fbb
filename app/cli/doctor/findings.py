"""What a check may find, and how checks are run: side by side, none longer than its time, none hiding another's result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Check = Callable[[], str]


class Sick(Exception):
    """Something is broken; the message is a sentence that names the cure."""


class Doubt(Exception):
    """Something works and is worth knowing; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one check: ``well``, ``doubt``, ``sick``, or ``unasked`` where something it needs is broken."""

    name: str
    state: str
    words: str


@dataclass(frozen=True, slots=True)
class Look:
    """A check: what is looked at, how, and what must be well for that to make sense."""

    name: str
    check: Check
    needs: tuple[str, ...] = ()


def examine(looks: Iterable[Look], known: dict[str, Finding], *, within_s: float) -> list[Finding]:
    """Run checks side by side; one that takes longer is sick. Adds what is found to what is known."""
    deadline = time.monotonic() + within_s
    begun = [(look, _begin(look, known)) for look in looks]
    found = []
    for look, (thread, result) in begun:
        thread.join(max(0.0, deadline - time.monotonic()))
        late = Finding(
            look.name, "sick", f"It gave no answer within {within_s:.0f} s: something hangs there; restart it."
        )
        found.append(result[0] if result else late)
    known.update({finding.name: finding for finding in found})
    return found


def _begin(look: Look, known: dict[str, Finding]) -> tuple[threading.Thread, list[Finding]]:
    result: list[Finding] = []
    thread = threading.Thread(target=lambda: result.append(_found(look, known)), daemon=True)
    thread.start()
    return thread, result


def _found(look: Look, known: dict[str, Finding]) -> Finding:
    missing = [name for name in look.needs if name not in known or known[name].state in ("sick", "unasked")]
    if missing:
        return Finding(look.name, "unasked", f"It cannot be looked at before this is well: {', '.join(missing)}.")
    try:
        return Finding(look.name, "well", look.check())
    except Sick as sickness:
        return Finding(look.name, "sick", str(sickness))
    except Doubt as doubt:
        return Finding(look.name, "doubt", str(doubt))
    except Exception as error:  # noqa: BLE001 -- whatever breaks a check is what it has found
        return Finding(look.name, "sick", f"The check itself failed ({type(error).__name__}): {first_line(error)}")


def first_line(error: BaseException) -> str:
    """Give the first line of what an error says."""
    return (str(error).strip() or type(error).__name__).split("\n")[0]
