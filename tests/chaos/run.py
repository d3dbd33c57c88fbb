"""One run: a ground, a crowd on it, rounds of faults, rest, and the verdict."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

from tests.chaos import checker, faults
from tests.chaos.checker import AtRest, World
from tests.chaos.crowd import Crowd
from tests.chaos.faults import Fault
from tests.chaos.ground import Ground
from tests.chaos.recording import Recording
from tests.model.invariants import Broken
from tests.model.system import Snapshot
from tests.model.wording import ROWS

DOUBLES = "SELECT content FROM messages WHERE conversation_id = ANY(%s::uuid[]) GROUP BY content HAVING count(*) > 1"
REST_WITHIN_S = 60.0
PERSISTED_WITHIN_S = 10.0
BREATH_S = 0.5


@dataclass
class Verdict:
    """What a run has shown."""

    seed: int
    mode: str
    world: World
    broken: list[Broken]
    kills: dict[str, int]
    other_faults: int = 0
    minutes: float = 0.0
    longest_s: dict[str, float] = field(default_factory=dict)


class Run:
    """A ground, a crowd and a history."""

    def __init__(
        self, ground: Ground, *, seed: int, write_every_s: float = 0.25, resends: bool = True, calm: bool = False
    ) -> None:
        self.ground, self.seed = ground, seed
        ground.kills = dict.fromkeys(ground.kills, 0)
        self.record = Recording()
        self.crowd = Crowd(ground.stack.urls, self.record, seed, write_every_s, resends, calm)
        self.persisted: set[str] = set()
        self.has_lost = False
        self.other_faults = 0
        self.longest_s = {"persisted after the last fault has healed": 0.0, "all processes ready again": 0.0}
        self.began = time.monotonic()

    def begin(self) -> None:
        """Gather the crowd and have it live."""
        self.crowd.gather()
        self.crowd.start()

    def suffer(self, *, until_s: float = 0.0, kills: int = 0) -> None:
        """Play rounds until the seconds are over and there were so many kills."""
        story = faults.rounds(self.seed)
        while time.monotonic() - self.began < until_s or sum(self.ground.kills.values()) < kills:
            self.suffer_round(next(story))

    def suffer_round(self, found: list[Fault]) -> None:
        """Play a round of faults and wait until all is healed."""
        self.other_faults += sum(fault.kind not in ("kill", faults.BLACKOUT) for fault in found)
        faults.play(self.ground, found, self._note)
        self._heal()

    def _note(self, what: str) -> None:
        self.record.faults.append((time.monotonic() - self.began, what))

    def _heal(self) -> None:
        took_s = self.ground.wait_until_ready()
        self._longest("all processes ready again", took_s)
        self._longest("persisted after the last fault has healed", self._until_persisted())
        time.sleep(BREATH_S)

    def _longest(self, what: str, took_s: float) -> None:
        self.longest_s[what] = max(self.longest_s[what], took_s)

    def _until_persisted(self) -> float:
        """Wait until what is accepted now is in the database; what is not there in time is lost, as the checker will find."""
        began = time.monotonic()
        missing = set(self.record.reference.accepted) - self.persisted
        while missing and time.monotonic() - began < PERSISTED_WITHIN_S:
            there = {own for snapshot in self._snapshots().values() for own in snapshot.rows}
            self.persisted |= there
            missing -= there
            time.sleep(0.05)
        self.has_lost |= bool(missing)
        self.persisted |= missing
        return time.monotonic() - began

    def _snapshots(self) -> dict[str, Snapshot]:
        words = self.record.words
        with self.ground.database() as cursor:
            cursor.execute(ROWS, [list(words.conversations)])
            return words.snapshots(cursor.fetchall())

    def rest(self) -> Verdict:
        """Let all come to rest and judge."""
        self.crowd.fall_quiet()
        began = time.monotonic()
        while time.monotonic() - began < (1.0 if self.has_lost else REST_WITHIN_S):
            heads = {name: snapshot.head for name, snapshot in self._snapshots().items()}
            if self.crowd.until_at_rest(heads, within_s=2.0) is not None and not self._logged():
                break
        self.longest_s["everybody at rest"] = time.monotonic() - began
        self.crowd.end()
        return self._judge()

    def _logged(self) -> frozenset[str]:
        log = self.ground.redis("log")
        entries = [entry for stream in log.scan_iter("messages:log*") for entry in log.xrange(stream)]
        return frozenset(self.record.words.messages[json.loads(fields[b"e"])["id"]] for _, fields in entries)

    def _judge(self) -> Verdict:
        with self.ground.database() as cursor:
            cursor.execute(DOUBLES, [list(self.record.words.conversations)])
            doubles = tuple(content for (content,) in cursor.fetchall())
        world = World(AtRest(self._snapshots(), self._logged(), doubles), self.record, list(self.crowd.devices))
        minutes = (time.monotonic() - self.began) / 60
        return Verdict(
            self.seed, self.ground.mode, world, list(checker.broken(world)), dict(self.ground.kills),
            self.other_faults, minutes, self.longest_s,
        )  # fmt: skip
