"""A short run of the harness on real processes: both write modes, kills and faults from a seed, and every invariant holds."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from tests.chaos.ground import Ground
from tests.chaos.report import of_run
from tests.chaos.run import Run

SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
SECONDS = 12.0


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Servers of this module's own, for they are killed."""
    made = Ground.make(tmp_path_factory.mktemp("chaos"))
    yield made
    made.close()


def test_nothing_is_lost_under_fire(ground: Ground) -> None:
    ground.become(random.Random(SEED).choice(["behind", "through"]))
    ground.start()
    run = Run(ground, seed=SEED)
    run.begin()
    run.suffer(until_s=SECONDS, kills=3)
    verdict = run.rest()
    print(of_run(verdict))
    assert not verdict.broken, f"CHAOS_SEED={SEED} repeats this: {verdict.broken}"
    assert len(verdict.world.reference.accepted) > 20
    assert sum(verdict.kills.values()) > 2
