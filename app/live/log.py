"""The message log: where an accepted message is on stable storage until the database has it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from app.extensions import LOG, redis
from app.kernel import limits
from app.kernel.events import MessageEvent, is_whole
from app.kernel.gathering import Gathering
from app.kernel.settings import settings
from app.live import membership, scripts, seen, shards
from app.live.membership import member_key
from app.live.shards import STREAM

Call = tuple[Sequence[str], Sequence[Any]]
REMEMBER_S = 60
READ_PAGES_MAX = 40


@dataclass(frozen=True, slots=True)
class Entry:
    """An accepted message in the log: its place there, and its provisional event."""

    place: str
    event: MessageEvent
    shard: int = 0


@dataclass(frozen=True, slots=True)
class Broken:
    """Something in the log that no accept has put there, or that was damaged since: its place, and its text."""

    place: str
    text: str
    shard: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the log said to an accept; the kinds are listed in ``lua/accept.lua``."""

    kind: str
    event: MessageEvent | None = None
    wait_s: float = 0.0


def accept(
    event: MessageEvent,
    *,
    after: UUID | None,
    is_new: bool = False,
    after_is_there: bool = False,
    encoded: bytes | None = None,
) -> Answer:
    """Accept a message in one round trip; raises Down. On ``accepted`` it is durable as the log's fsync policy says."""
    message_id, conversation_id, sender_id = event["id"], event["conversationId"], event["senderId"]
    keys = [
        shards.home(conversation_id),
        f"accepted:{message_id}",
        f"pending:{conversation_id}",
        seen.FILTER,
        seen.COMPLETE,
        member_key(conversation_id, sender_id),
        f"rate:send:{sender_id}",
        f"accepted:{after}" if after else "",
    ]
    arguments = [
        message_id,
        conversation_id,
        encoded or orjson.dumps(event),
        -(-settings().log_max_entries // settings().log_shards),
        limits.SENDS_PER_S if settings().rate_limits_enabled else 0,
        limits.SENDS_BURST,
        "1" if is_new else "0",
        "1" if after_is_there else "0",
        seen.bits(UUID(message_id)),
        seen.bits(after) if after else "",
        settings().log_shards,
    ]
    membership.retry_evictions()  # the log may have come back with a membership that has ended
    return _answer(_accepting.ask((keys, arguments)))


def _accept_all(calls: Sequence[Call]) -> list[Any]:
    with LOG.guard():
        return scripts.run_many(redis.log, "accept", calls)


_accepting: Gathering[Call, list[Any]] = Gathering(_accept_all, expects_more=True)


def _answer(raw: list[Any]) -> Answer:
    kind = raw[0].decode()
    if kind == "again":
        return Answer(kind, event=orjson.loads(raw[1]))
    return Answer(kind, wait_s=raw[1] / 1000 if kind == "limited" else 0.0)


def read(
    count: int = limits.DRAIN_BATCH, *, leaving: Collection[str] = (), shard: int = 0
) -> tuple[list[Entry], list[Broken]]:
    """Read the oldest entries of a shard, always from the start: what was read and not settled comes again.

    Those of the conversations in ``leaving`` are passed over, and as many of those behind them read instead.
    """
    entries: list[Entry] = []
    broken: list[Broken] = []
    start = "-"
    for _ in range(READ_PAGES_MAX):
        with LOG.guard():
            raw = redis.log.xrange(shards.stream(shard), min=start, count=count)
        for place, fields in raw:
            found = _entry(place.decode(), fields.get(b"e", b""), shard)
            if isinstance(found, Broken):
                broken.append(found)
            elif found.event["conversationId"] not in leaving:
                entries.append(found)
        if not leaving or len(raw) < count or len(entries) >= count:
            break
        start = f"({raw[-1][0].decode()}"
    return entries[:count], broken


def _entry(place: str, encoded: bytes, shard: int) -> Entry | Broken:
    try:
        event = orjson.loads(encoded)
    except orjson.JSONDecodeError:
        event = None
    return Entry(place, event, shard) if is_whole(event) else Broken(place, encoded.decode(errors="replace"), shard)


def discard(broken: list[Broken]) -> None:
    """Take broken entries out of the log."""
    for entry in broken:
        with LOG.guard():
            redis.log.xdel(shards.stream(entry.shard), entry.place)


def wait(timeout_s: float, among: Sequence[int] = (0,)) -> bool:
    """Wait until there is an entry in one of these shards; tells whether. Uses a connection of its own time-out."""
    streams = {shards.stream(shard): "0" for shard in among}
    with LOG.guard():
        return bool(_patient().xread(streams, count=1, block=max(1, int(timeout_s * 1000))))


_patient_clients: dict[str, Any] = {}


def _patient() -> Any:
    url = redis.log_url or ""
    if url not in _patient_clients:
        _patient_clients[url] = redis.client(url, timeout_s=3)
    return _patient_clients[url]


def settle(entries: list[Entry]) -> None:
    """Take exactly these entries out of the log; repeating it does nothing."""
    for shard in sorted({entry.shard for entry in entries}):
        own = [entry for entry in entries if entry.shard == shard]
        triples = [part for entry in own for part in (entry.place, entry.event["id"], entry.event["conversationId"])]
        with LOG.guard():
            scripts.run(redis.log, "settle", [shards.stream(shard)], [REMEMBER_S, *triples])


def tail(conversation_id: UUID) -> list[MessageEvent]:
    """Give what is accepted and not yet committed in a conversation, in order; raises Down."""
    with LOG.guard():
        entries = scripts.run(redis.log, "tail", [STREAM, f"pending:{conversation_id}"], [])
    return [orjson.loads(entry) for entry in entries]


def pending(message_id: UUID) -> UUID | None:
    """Give the conversation of a message that is accepted and not yet committed, or None; raises Down."""
    with LOG.guard():
        target = redis.log.get(f"accepted:{message_id}")
        if target is None or not redis.log.hexists(f"pending:{target.decode()}", str(message_id)):
            return None
    return UUID(target.decode())


def length() -> int:
    """Give the number of entries that wait for the database."""
    return standing()[0]


def standing() -> tuple[int, float]:
    """Give (how many entries wait for the database, the oldest one's age in seconds); raises Down."""
    streams = [shards.stream(shard) for shard in shards.everyone()]
    with LOG.guard():
        pipe = redis.log.pipeline(transaction=True)
        for stream in streams:
            pipe.xlen(stream)
            pipe.xrange(stream, count=1)
        pipe.time()
        *found, (seconds, micros) = pipe.execute()
    begun = [int(oldest[0][0].split(b"-")[0]) / 1000 for oldest in found[1::2] if oldest]
    return sum(found[::2]), max(0.0, float(seconds + micros / 1e6 - min(begun))) if begun else 0.0
