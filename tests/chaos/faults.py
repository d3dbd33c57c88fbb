"""What goes wrong, by chance from a seed: rounds of faults that overlap, each of which ends."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import redis

from tests.chaos.ground import PARTS, PROCESSES, SERVERS, Ground

PATIENCE_S = 60.0


@dataclass(frozen=True)
class Fault:
    """Something that befalls a part, some seconds into its round and for some seconds."""

    kind: str
    part: str
    at_s: float
    for_s: float

    def __str__(self) -> str:
        return f"{self.kind} {self.part} for {self.for_s:.1f} s at +{self.at_s:.1f} s"


KINDS = {
    "kill": PARTS,
    "stop": PARTS,
    "fill": ("log", "cache"),  # no memory left: it refuses writes and answers reads
    "demote": ("log", "cache"),  # read-only, as a replica is
    "empty": ("cache",),
    "crash a session of": ("postgres",),
}
WEIGHTS = {"kill": 12, "stop": 6, "fill": 1, "demote": 1, "empty": 1, "crash a session of": 1}
BLACKOUT = "blackout"


def rounds(seed: int) -> Iterator[list[Fault]]:
    """Give rounds of one to four faults without end; every sixth, all power fails while the database is behind."""
    chance = random.Random(f"faults {seed}")
    for number in itertools.count(1):
        if number % 6 == 3:
            yield blackout(chance.choice(["stop", "kill"]), chance.uniform(0.3, 1.5))
        else:
            yield _round(chance)


def blackout(kind: str, after_s: float) -> list[Fault]:
    """The database is stopped or killed, so that what is accepted waits in the log, and then all power fails."""
    return [Fault(kind, "postgres", 0.0, 60.0), Fault(BLACKOUT, "everything", after_s, 0.3)]


def _round(chance: random.Random) -> list[Fault]:
    parts = chance.sample(PARTS, k=chance.choice([1, 2, 2, 3, 3, 4]))
    found = []
    for part in parts:
        kinds = [kind for kind, suits in KINDS.items() if part in suits]
        kind = chance.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0]
        for_s = chance.choice([0.0, 0.3, 1.0, 2.5]) if kind == "kill" else chance.choice([0.2, 0.6, 1.5, 4.0])
        found.append(Fault(kind, part, chance.uniform(0, 1.5), for_s))
    return found


def play(ground: Ground, faults: list[Fault], note: Callable[[str], None]) -> None:
    """Have the faults happen, and end."""
    order = itertools.count()
    began = time.monotonic()
    due = [(fault.at_s, next(order), fault, True) for fault in faults]
    heapq.heapify(due)
    while due:
        at_s, _, fault, begins = heapq.heappop(due)
        time.sleep(max(0.0, began + at_s - time.monotonic()))
        note(f"{'begins' if begins else 'ends'}: {fault}")
        if fault.kind == BLACKOUT:
            _black_out(ground, fault.for_s)
            return  # it has ended all others
        with contextlib.suppress(redis.RedisError):
            (_begin if begins else _end)(ground, fault)
        if begins:
            heapq.heappush(due, (time.monotonic() - began + fault.for_s, next(order), fault, False))


def _black_out(ground: Ground, for_s: float) -> None:
    """All power fails at once, and comes back. First all stand still, the servers before who writes to them: killed one
    after the other they would have time to sync.
    """
    running = [part for part in (*SERVERS, *PROCESSES) if ground.is_running(part)]
    for part in running:
        ground.stop(part)
    for part in running:
        ground.kill(part)
    ground.pull_plug()
    time.sleep(for_s)
    for part in (*SERVERS, *PROCESSES):
        ground.start_again(part)


def _begin(ground: Ground, fault: Fault) -> None:
    if fault.kind == "kill":
        ground.kill(fault.part)
    elif fault.kind == "stop":
        ground.stop(fault.part)
    elif fault.kind == "fill":
        ground.redis(fault.part).config_set("maxmemory", 1)
    elif fault.kind == "demote":
        ground.redis(fault.part).replicaof("127.0.0.1", "1")
    elif fault.kind == "empty":
        ground.redis(fault.part).flushall()
    else:
        ground.crash_backend()


def _end(ground: Ground, fault: Fault) -> None:
    if fault.kind == "kill":
        ground.start_again(fault.part)
    elif fault.kind == "stop":
        ground.go_on(fault.part)
    elif fault.kind == "fill":
        ground.redis(fault.part).config_set("maxmemory", "512mb")
    elif fault.kind == "demote":
        ground.redis(fault.part).replicaof("NO", "ONE")
