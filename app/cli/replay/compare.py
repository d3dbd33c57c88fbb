"""The comparison: every message of the script once, in order, as typed, answering the right one; and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from app.cli.replay.script import Line, Script

Event = dict[str, Any]


def differences(script: Script, got: Sequence[Event]) -> list[str]:
    """Say in sentences how what somebody holds differs from the script; an empty list means equal."""
    wanted = {line.client_message_id: line for line in script.lines}
    held = {event["clientMessageId"]: event for event in got}
    return [
        *_missing(script.lines, held),
        *_too_many(wanted, got),
        *_out_of_order(script.lines, got),
        *_places(got),
        *_altered(script, wanted, held),
    ]


def _missing(lines: Sequence[Line], held: Mapping[str, Event]) -> list[str]:
    return [f"line {line.number} is missing" for line in lines if line.client_message_id not in held]


def _too_many(wanted: Mapping[str, Line], got: Sequence[Event]) -> list[str]:
    times = Counter(event["clientMessageId"] for event in got)
    repeated = [
        f"line {wanted[name].number} is there {n} times" for name, n in times.items() if n > 1 and name in wanted
    ]
    return repeated + [f"message {name} is not in the log" for name in times if name not in wanted]


def _out_of_order(lines: Sequence[Line], got: Sequence[Event]) -> list[str]:
    order = {line.client_message_id: (index, line.number) for index, line in enumerate(lines)}
    found = [order[event["clientMessageId"]] for event in got if event["clientMessageId"] in order]
    return [
        f"line {later[1]} comes after line {earlier[1]}" for earlier, later in pairwise(found) if later[0] < earlier[0]
    ]


def _places(got: Sequence[Event]) -> list[str]:
    """Nobody else writes there, nothing is edited: positions are 1, 2, 3, … in the order shown."""
    return [
        f"the message at place {place} has seq {event['seq']}{'' if event['persisted'] else ' and is not persisted'}"
        for place, event in enumerate(got, start=1)
        if event["seq"] != place or not event["persisted"]
    ]


def _altered(script: Script, wanted: Mapping[str, Line], held: Mapping[str, Event]) -> list[str]:
    ids = {wanted[name].number: event["id"] for name, event in held.items() if name in wanted}
    roots = _roots(script.lines)
    answers = Counter(root for number, root in roots.items() if root != number)
    found = []
    for name, line in wanted.items():
        if name not in held:
            continue
        root = roots[line.number]
        expected = {
            "content": line.content,
            "messageType": "text",
            "metadata": line.metadata,
            "replyToId": ids.get(line.reply_to) if line.reply_to is not None else None,
            "threadRootId": ids.get(root) if root != line.number else None,
            "replyCount": answers[line.number],
            "isEdited": False,
            "deletedAt": None,
        }
        shown = {field: held[name][field] for field in expected}
        expected["sender"], shown["sender"] = script.usernames[line.nick], held[name]["sender"]["username"]
        found += [
            f"line {line.number}: {field} is {shown[field]!r} instead of {value!r}"
            for field, value in expected.items()
            if shown[field] != value
        ]
    return found


def _roots(lines: Sequence[Line]) -> dict[int, int]:
    """Give the line that begins each line's thread."""
    roots: dict[int, int] = {}
    for line in lines:
        roots[line.number] = line.number if line.reply_to is None else roots[line.reply_to]
    return roots


def stale(live: Sequence[Event], fresh: Sequence[Event]) -> list[str]:
    """Say where what was kept by events differs from a fresh load (invariant I7)."""
    loaded = {event["id"]: event for event in fresh}
    return [
        f"message {event['id']}: {field} is {event.get(field)!r} and freshly loaded {value!r}"
        for event in live
        for field, value in loaded.get(event["id"], {}).items()
        if event.get(field) != value
    ]
