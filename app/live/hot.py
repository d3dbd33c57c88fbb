"""Heads and hot history in the cache's Redis: what changed lately, so that a short absence costs the database nothing."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID

import orjson

from app.extensions import CACHE, redis
from app.kernel import limits
from app.kernel.events import CREATED_CHANNEL, MessageEvent
from app.kernel.gathering import Gathering
from app.live import scripts

POSITION_TTL_S = 30 * 24 * 3600
MARK_BITS = 52  # Lua counts in doubles
BEGINNING = re.compile(rb'\{"id":"([0-9a-f-]{36})","conversationId":"[0-9a-f-]{36}","seq":(\d+),"changedSeq":(\d+),')


PAGE_S, PAGES_MAX = 1.0, 128  # how long, and of how many places, what was missed is kept for those who missed the same

Place = tuple[str, int]  # message id, seq
Page = tuple[UUID, int]  # conversation, position
Stand = tuple[int, Place | None]  # head, the newest message
Change = tuple[MessageEvent, bytes]  # and its text


class Kept(NamedTuple):
    """A change as it is kept here: its message and positions, and the event encoded as every client gets it."""

    id: str
    seq: int
    changed_seq: int
    encoded: bytes


@dataclass(frozen=True, slots=True)
class Recent:
    """What changed after a position, read in one moment; ``received`` is None where it is not known here."""

    head: int
    latest: Place
    received: Place | None
    events: list[Kept]


def _keys(conversation_id: object) -> list[str]:
    return [
        f"chat:{conversation_id}:messages:active",
        f"head:{conversation_id}",
        f"room:{conversation_id}:latest_message_id",
    ]


_pages: dict[Page, tuple[float, Recent]] = {}


def append(events: Sequence[MessageEvent], encoded: Sequence[bytes]) -> dict[str, bytes]:
    """Add committed changes and their texts, any number of conversations, and move their heads forward; raises Down.

    The operator's other services hear of the created messages among them, on ``CREATED_CHANNEL``.
    Gives the conversations whose heads are not known here, with marks: read where they stand now, and call ``found``.
    """
    keys: list[str] = []
    arguments: list[object] = [limits.HOT_MAX, limits.HOT_TTL_S, _new_mark(), CREATED_CHANNEL]
    grouped = _by_conversation(events, encoded)
    for conversation_id, changes in grouped.items():
        keys += _keys(conversation_id)
        arguments += _append_arguments(changes)
    if not keys:
        return {}
    with CACHE.guard():
        unknown = scripts.run(redis.cache, "hot_append", keys, arguments)
    names = list(grouped) if unknown else []
    return {names[number]: mark for number, mark in zip(unknown[::2], unknown[1::2], strict=True)}


def found(marks: Mapping[str, bytes], stands: Mapping[str, Stand]) -> None:
    """Keep where conversations stand, as read after their marks were given; one lost since stays unknown; raises Down."""
    keys: list[str] = []
    arguments: list[object] = [limits.HOT_TTL_S]
    for conversation_id, (head, latest) in stands.items():
        keys += _keys(conversation_id)[1:]
        arguments += [marks[conversation_id], head, f"{latest[0]}:{latest[1]}" if latest else ""]
    if keys:
        with CACHE.guard():
            scripts.run(redis.cache, "hot_found", keys, arguments)


def _new_mark() -> int:
    """Make up what stands for a head while it is being found out."""
    return -1 - secrets.randbits(MARK_BITS)


def unknown(conversation_ids: Iterable[object]) -> dict[str, bytes]:
    """Give those of these conversations whose heads are not known here, with marks, as ``append`` does; raises Down."""
    names, mark = [str(one) for one in conversation_ids], _new_mark()
    pipe = redis.cache.pipeline(transaction=False)
    for name in names:
        key = _keys(name)[1]
        pipe.set(key, mark, nx=True, ex=limits.HOT_TTL_S)
        pipe.get(key)
    with CACHE.guard():
        held = pipe.execute()[1::2] if names else []
    return {name: raw for name, raw in zip(names, held, strict=True) if raw and raw.startswith(b"-")}


def _append_arguments(changes: list[Change]) -> list[object]:
    newest = ""
    arguments: list[object] = [newest, len(changes)]
    for event, text in changes:
        is_created = event["seq"] == event["changedSeq"]
        if is_created:
            newest = f"{event['id']}:{event['seq']}"
        arguments += (event["changedSeq"] or 0, text, "1" if is_created else "")
    arguments[0] = newest
    return arguments


def _by_conversation(events: Sequence[MessageEvent], encoded: Sequence[bytes]) -> dict[str, list[Change]]:
    grouped: dict[str, list[Change]] = defaultdict(list)
    for change in zip(events, encoded, strict=True):
        grouped[change[0]["conversationId"]].append(change)
    for changes in grouped.values():
        changes.sort(key=lambda change: change[0]["changedSeq"] or 0)
    return grouped


def catch_up(conversation_id: UUID, after: int, profile_id: UUID) -> Recent | None:
    """Give what changed after a position, or None where only the database can tell; raises Down."""
    return _catching_up.ask((conversation_id, after, profile_id))


def _catch_up_all(asked: Sequence[tuple[UUID, int, UUID]]) -> list[Recent | None]:
    """Read what all who come back at the same moment missed: those of a conversation mostly missed the same."""
    held = {
        place: _held(place) for place in dict.fromkeys((conversation_id, after) for conversation_id, after, _ in asked)
    }
    calls = [(_keys(place[0]), [place[1], page.head if page else -1]) for place, page in held.items()]
    with CACHE.guard():  # the received positions first, so that none is beyond the head that is read after it
        received = redis.cache.mget(
            [_received_key(profile_id, conversation_id) for conversation_id, _, profile_id in asked]
        )
        answers = scripts.run_many(redis.cache, "catch_up", calls)
    found = {place: _recent(place, page, raw) for (place, page), raw in zip(held.items(), answers, strict=True)}
    return [_of_person(found[one[0], one[1]], place) for one, place in zip(asked, received, strict=True)]


def _recent(place: Page, held: Recent | None, raw: list[bytes]) -> Recent | None:
    if not raw:
        return None
    head, latest = int(raw[0]), _place(raw[1])
    if held is not None and held.head == head:  # then no events came
        return held if held.latest == latest else None
    newest = {kept.id: kept for kept in map(_kept, raw[2:])}
    found = Recent(head, latest, None, sorted(newest.values(), key=lambda kept: (kept.changed_seq, kept.seq)))
    if len(_pages) >= PAGES_MAX:
        _pages.clear()
    _pages[place] = (time.monotonic() + PAGE_S, found)
    return found


def forget_pages() -> None:
    """Forget what this process itself keeps."""
    _pages.clear()


def _held(place: Page) -> Recent | None:
    """Give what was missed after a position as it was read a moment ago: it still is where the head is still the same."""
    until, found = _pages.get(place, (0.0, None))
    return found if until > time.monotonic() else None


def _of_person(found: Recent | None, received: bytes | None) -> Recent | None:
    return replace(found, received=_place(received)) if found and received else found


_catching_up: Gathering[tuple[UUID, int, UUID], Recent | None] = Gathering(
    _catch_up_all, at_most=32, turns=2, expects_more=True
)


def _kept(encoded: bytes) -> Kept:
    """Read of an event what catching up must know; the rest stays as it is, for decoding it costs more than sending it."""
    found = BEGINNING.match(encoded)
    if found is not None:
        return Kept(found[1].decode(), int(found[2]), int(found[3]), encoded)
    event: MessageEvent = orjson.loads(encoded)
    return Kept(event["id"], event["seq"] or 0, event["changedSeq"] or 0, encoded)


def _place(encoded: bytes) -> Place:
    message_id, _, seq = encoded.decode().rpartition(":")
    return message_id, int(seq)


def distrust(conversation_ids: Iterable[object]) -> None:
    """Forget what is kept of conversations whose changes could not be told here; raises Down."""
    keys = [key for conversation_id in conversation_ids for key in _keys(conversation_id)]
    if keys:
        with CACHE.guard():
            redis.cache.delete(*keys)


def heads(conversation_ids: Sequence[object]) -> list[int | None]:
    """Give the heads that are known here, in the order asked; raises Down."""
    return _asking.ask([_keys(conversation_id)[1] for conversation_id in conversation_ids]) if conversation_ids else []


def _read_heads(asked: Sequence[list[str]]) -> list[list[int | None]]:
    """Read what all who ask at the same moment want to know: everybody comes back at once."""
    with CACHE.guard():
        raw = iter(redis.cache.mget([key for keys in asked for key in keys]))
    return [[_head(head) for head in itertools.islice(raw, len(keys))] for keys in asked]


def _head(raw: bytes | None) -> int | None:
    """Read a head; what stands for one that is being found out is below 0."""
    return int(raw) if raw and not raw.startswith(b"-") else None


_asking: Gathering[list[str], list[int | None]] = Gathering(_read_heads, turns=2, expects_more=True)


def kept_heads(conversation_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Read the heads that are here, those that are being found out too: the mark of whoever does is below 0; raises Down."""
    wanted = list(conversation_ids)
    if not wanted:
        return {}
    with CACHE.guard():
        held = redis.cache.mget([_keys(conversation_id)[1] for conversation_id in wanted])
    return {conversation_id: int(raw) for conversation_id, raw in zip(wanted, held, strict=True) if raw}


def repair(heads: Mapping[UUID, int], *, before: Mapping[UUID, int]) -> list[UUID]:
    """Make the heads kept here right: one that is behind the database's lost a change, so its hot history goes too.

    One that is being found out is let alone, unless it was by the same one in ``before``, read a moment ago: they have ended.
    Gives those that are ahead: then either the database has gone on since they were read, or it was set back. Raises Down.
    """
    kept = kept_heads(heads)
    distrust([one for one, held in kept.items() if held < heads[one] and (held >= 0 or held == before.get(one))])
    return [conversation_id for conversation_id, held in kept.items() if held > heads[conversation_id]]


def distrust_all() -> None:
    """Forget all that is kept of any conversation; raises Down."""
    with CACHE.guard():
        for pattern in ("chat:*", "head:*", "room:*", "user:*:last_received"):
            found = list(redis.cache.scan_iter(pattern, count=1_000))
            for start in range(0, len(found), 1_000):
                redis.cache.unlink(*found[start : start + 1_000])


def received(places: Mapping[tuple[UUID, UUID], Place]) -> None:
    """Keep received places of people (each in a conversation, which comes second), only forward; raises Down."""
    if places:
        keys = [_received_key(profile_id, conversation_id) for profile_id, conversation_id in places]
        with CACHE.guard():
            scripts.run(
                redis.cache, "forward", keys, [POSITION_TTL_S, *(part for place in places.values() for part in place)]
            )


def forget_received(pairs: Iterable[tuple[UUID, UUID]]) -> None:
    """Forget received places: these people begin anew, each in a conversation (which comes first); raises Down."""
    keys = [_received_key(profile_id, conversation_id) for conversation_id, profile_id in pairs]
    if keys:
        with CACHE.guard():
            redis.cache.delete(*keys)


def last_received(profile_id: UUID, conversation_id: UUID) -> Place | None:
    """Give someone's received place where it is known here; raises Down."""
    with CACHE.guard():
        held = redis.cache.get(_received_key(profile_id, conversation_id))
    return _place(held) if held else None


def _received_key(profile_id: UUID, conversation_id: UUID) -> str:
    return f"user:{profile_id}:room:{conversation_id}:last_received"
