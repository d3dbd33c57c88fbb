"""A stack whose processes these tests kill; each test finds it whole and leaves it whole."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from tests.support.cast import Cast
from tests.support.inside import Inside
from tests.support.stack import Stack


class Mortal:
    """A stack in the mode behind, its people and its insides."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.inside, self.cast = stack, Inside(stack), Cast(stack)

    def revive(self) -> None:
        """Start what was killed, and wait until all answer."""
        for process in [*self.stack.webs, self.stack.worker]:
            if process is not None and not process.alive:
                process.start()
        self.stack.wait_until_ready(within_s=60)

    def kill_worker(self) -> None:
        """Kill -9 the worker."""
        assert self.stack.worker is not None
        self.stack.worker.kill()


@pytest.fixture(scope="package")
def mortal_stack(services: dict[str, str], template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    running = Stack.make(services, template, "behind", tmp_path_factory.mktemp("mortal"))
    running.start()
    mortal = Mortal(running)
    yield mortal
    mortal.cast.close()
    mortal.inside.close()
    running.end()


@pytest.fixture
def mortal(mortal_stack: Mortal) -> Iterator[Mortal]:
    """A whole stack to kill parts of."""
    yield mortal_stack
    mortal_stack.revive()


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Chance with a printed seed: a failure shows it, and SEED in the environment repeats it."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**32))
    print(f"SEED={seed} repeats {request.node.name}")
    return random.Random(seed)
