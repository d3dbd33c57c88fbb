"""Negative controls: what Parley would be without one of its safeguards must be found out by the same judge."""

from __future__ import annotations

from dataclasses import dataclass

from tests.chaos.faults import BLACKOUT, Fault, blackout
from tests.chaos.figures import SEEN_WITHIN_S, longest_unseen_s
from tests.chaos.ground import Ground, Unlike
from tests.chaos.run import Run, Verdict

KILLED = [Fault("kill", "web0", 0.2, 0.0), Fault("kill", "web1", 0.6, 0.0), Fault("kill", "log", 0.4, 0.5)]
BLACKOUTS = tuple(blackout("kill", after_s) for after_s in (1.0, 1.5, 1.2, 0.8))


@dataclass(frozen=True)
class Control:
    """A Parley, or its clients, without a safeguard; rounds of faults; and the invariants of which one must break."""

    name: str
    breaks: tuple[str, ...]
    rounds: tuple[list[Fault], ...]
    unlike: Unlike = Unlike()
    mode: str = "behind"
    resends: bool = True
    messages: int = 0
    """Written one by one, by members who stay; the rounds come after them."""

    def is_found_out(self, verdict: Verdict) -> bool:
        """Tell whether the judge has found what it should."""
        return any(found.invariant in self.breaks for found in verdict.broken)

    def run(self, ground: Ground, *, seed: int) -> Verdict:
        """Play it, until it has been found out or all rounds are over."""
        ground.become(self.mode, self.unlike)
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
    Control(
        "the append-only file of the log's Redis", ("I1", "I2"), BLACKOUTS, Unlike(log_settings={"appendonly": "no"})
    ),
    Control("the log (list and pop instead)", ("I1", "I2"), BLACKOUTS, Unlike(plants=("pop the log",))),
    Control(
        "`heads`, while one emit in twenty is dropped",
        ("I7",),
        (),
        Unlike(("drop emits", "say no heads")),
        messages=100,
    ),
    Control("clients that resend", ("I2",), (KILLED, KILLED, KILLED), resends=False),
)
# On a ground with a plug, where a blackout is a power cut.
POWER_CUTS = {"behind": BLACKOUTS, "through": tuple([Fault(BLACKOUT, "everything", s, 0.3)] for s in (1.5, 2.0, 2.5))}
POWER_CONTROLS = (
    Control("syncing the log always (every second instead)", ("I1", "I2"), BLACKOUTS,
            Unlike(log_settings={"appendfsync": "everysec"})),
    Control("waiting for PostgreSQL's log to be synced", ("I1", "I2", "I3", "I5"), POWER_CUTS["through"],
            Unlike(database_settings={"synchronous_commit": "off"}), mode="through"),
)  # fmt: skip
