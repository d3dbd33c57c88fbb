"""A short run of the harness on real processes: both write modes, kills and faults from a seed, and every invariant holds."""

from __future__ import annotations

import os
import random
from pathlib import Path

from tests.chaos.ground import Ground
from tests.chaos.report import table
from tests.chaos.run import Run

SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
SECONDS = 14.0


def test_nothing_is_lost_under_fire(tmp_path: Path) -> None:
    ground = Ground.make(tmp_path, random.Random(SEED).choice(["behind", "through"]))
    try:
        ground.start()
        run = Run(ground, seed=SEED)
        run.begin()
        run.suffer(until_s=SECONDS)
        verdict = run.rest()
    finally:
        ground.close()
    print(table(verdict))
    assert not verdict.broken, f"CHAOS_SEED={SEED} repeats this: {verdict.broken}"
    assert len(verdict.world.reference.accepted) > 20
    assert sum(verdict.kills.values()) > 2
