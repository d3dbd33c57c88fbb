"""The report of a run, as a table."""

from __future__ import annotations

from tests.chaos import checker
from tests.chaos.run import Verdict


def table(verdict: Verdict) -> str:
    """Say in a table what a run has shown."""
    world = verdict.world
    answers = dict(sorted(world.record.answers.items()))
    rows = [
        ("seed", verdict.seed),
        ("write mode", verdict.mode),
        ("minutes", f"{verdict.minutes:.1f}"),
        ("kills", f"{sum(verdict.kills.values())} ({', '.join(f'{part} {n}' for part, n in verdict.kills.items())})"),
        ("other faults", verdict.other_faults),
        ("messages tried · accepted", f"{len(world.record.sendings)} · {len(world.reference.accepted)}"),
        ("answers to sends", ", ".join(f"{code} {count}" for code, count in answers.items())),
        ("accepted and lost", len(checker.lost(world))),
        ("duplicates", len(world.system.doubles)),
        ("holes", checker.holes(world)),
        ("inversions", checker.inversions(world)),
        *((what, f"{seconds:.2f} s") for what, seconds in verdict.longest_s.items()),
    ]
    lines = ["| what | is |", "|---|---|", *(f"| {what} | {value} |" for what, value in rows)]
    verdicts = [f"BROKEN {found}"[:600] for found in verdict.broken] or ["I1 to I9 hold."]
    return "\n".join([*lines, "", *verdicts])
