"""The reports, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.chaos import checker
from tests.chaos.controls import Control
from tests.chaos.figures import Figure
from tests.chaos.run import Verdict
from tests.chaos.storm import Storm

SHOWN = 600  # characters of what is broken


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def of_run(verdict: Verdict) -> str:
    """Say what a run under fire has shown."""
    world = verdict.world
    answers = dict(sorted(world.record.answers.items()))
    rows = [
        ("seed", verdict.seed),
        ("write mode", verdict.mode),
        ("minutes", f"{verdict.minutes:.1f}"),
        ("kills", f"{sum(verdict.kills.values())}: {', '.join(f'{part} {n}' for part, n in verdict.kills.items())}"),
        ("other faults", verdict.other_faults),
        ("messages tried, accepted", f"{len(world.record.sendings)}, {len(world.reference.accepted)}"),
        ("answers", ", ".join(f"{code} {count}" for code, count in answers.items())),
        ("accepted and lost", len(checker.lost(world))),
        ("duplicates", len(world.system.doubles)),
        ("holes", checker.holes(world)),
        ("inversions", checker.inversions(world)),
        *((what, f"{seconds:.1f} s at most") for what, seconds in verdict.longest_s.items()),
    ]
    verdicts = [f"BROKEN {found}"[:SHOWN] for found in verdict.broken] or ["I1 to I9 hold."]
    return "\n".join([_table(("a run under fire", ""), rows), "", *verdicts, ""])


def of_figures(mode: str, figures: Sequence[Figure]) -> str:
    """Say what was measured, beside what was promised."""
    rows = [
        (f.what, f"{f.seconds:.2f} s", f"{f.at_most_s:g} s" if f.is_kept else f"{f.at_most_s:g} s: MISSED")
        for f in figures
    ]
    return _table((f"figures, {mode}", "measured", "at most"), rows) + "\n"


def of_controls(found: Sequence[tuple[Control, Verdict]]) -> str:
    """Say which controls were found out, and by what."""
    rows = [
        (
            control.name,
            ", ".join(sorted({broken.invariant for broken in verdict.broken})) or "nothing",
            len(checker.lost(verdict.world)),
            "found out" if control.is_found_out(verdict) else "NOT FOUND OUT",
        )
        for control, verdict in found
    ]
    return _table(("Parley without", "breaks", "accepted and lost", "so it is"), rows) + "\n"


def of_storm(found: Storm) -> str:
    """Say how a reconnect storm went."""
    rows = [
        ("all back and whole", f"{found.seconds:.1f} s" if found.complete else f"NOT ALL: {found.failures}"),
        ("attempts a client", f"{found.attempts / found.clients:.2f}"),
        ("queries of PostgreSQL a client", f"{found.queries_a_client:.2f}"),
        *((f"`{query}…`", calls) for calls, query in found.by_statement),
    ]
    return _table((f"a reconnect storm of {found.clients} clients", ""), rows) + "\n"
