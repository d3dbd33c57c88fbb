"""The design, executed in memory, keeps every invariant against the adversary."""

from __future__ import annotations

import os
import random

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import ParleyMachine

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "200"))
STEPS = int(os.environ.get("MODEL_STEPS", "40"))
SEED = int(os.environ.get("MODEL_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)


def budget(examples: int, *, shrink: bool = True) -> settings:
    """Explore so many histories; shrink what fails, unless only the finding matters."""
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    return settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        phases=phases,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )


def test_the_design_keeps_every_invariant() -> None:
    print(f"MODEL_SEED={SEED} repeats this run")
    run_state_machine_as_test(seed(SEED)(ParleyMachine), settings=budget(EXAMPLES))
