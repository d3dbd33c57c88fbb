"""Negative controls: what Parley would be without one of its safeguards must be found out by the same judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.chaos.faults import Fault, blackout
from tests.chaos.figures import SEEN_WITHIN_S, longest_unseen_s
from tests.chaos.ground import Ground
from tests.chaos.run import Run, Verdict

KILLED = [Fault("kill", "web0", 0.2, 0.0), Fault("kill", "web1", 0.6, 0.0), Fault("kill", "log", 0.4, 0.5)]
BLACKOUTS = (blackout("kill", 2.0), blackout("kill", 2.5), blackout("kill", 3.0))


@dataclass(frozen=True)
class Control:
    """A Parley, or its clients, without a safeguard; rounds of faults; and the invariants of which one must break."""

    name: str
    breaks: tuple[str, ...]
    rounds: tuple[list[Fault], ...]
    plants: tuple[str, ...] = ()
    log_settings: Mapping[str, str] = field(default_factory=dict)
    resends: bool = True
    messages: int = 0
    """Written one by one, by members who stay; the rounds come after them."""

    def is_found_out(self, verdict: Verdict) -> bool:
        """Tell whether the judge has found what it should."""
        return any(found.invariant in self.breaks for found in verdict.broken)

    def run(self, ground: Ground, *, seed: int) -> Verdict:
        """Play it, until it has been found out or all rounds are over."""
        ground.become("behind", plants=self.plants, log_settings=self.log_settings)
        ground.start()
        run = Run(ground, seed=seed, write_every_s=0.1, resends=self.resends, calm=self.messages > 0)
        run.begin()
        run.has_lost = longest_unseen_s(run, messages=self.messages) > SEEN_WITHIN_S
        for found in self.rounds:
            run.suffer_round(found)
            if run.has_lost:
                break
        return run.rest()


CONTROLS = (
    Control("the log's Redis without its append-only file", ("I1", "I2"), BLACKOUTS, log_settings={"appendonly": "no"}),
    Control("list and pop instead of the log", ("I1", "I2"), BLACKOUTS, plants=("pop the log",)),
    Control(
        "one emit in twenty dropped, and `heads` off", ("I7",), (), plants=("drop emits", "say no heads"), messages=100
    ),
    Control("clients that never resend", ("I2",), (KILLED, KILLED, KILLED), resends=False),
)
