"""The real parts keep every invariant against the adversary: the same machine, on PostgreSQL, Redis and real processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.model.corners import CORNERS
from tests.model.invariants import Broken
from tests.model.machine import ParleyMachine
from tests.model.part import PLANT
from tests.model.real import Parts, RealSystem
from tests.model.system import CONVERSATIONS, DRAINERS, Message, Stage
from tests.model.test_machine import SEED, attack
from tests.support.stack import environment, fresh_database, redis_number

EXAMPLES = int(os.environ.get("MODEL_REAL_EXAMPLES", "70"))
PLANTED_SEED = 20
STEPS = int(os.environ.get("MODEL_REAL_STEPS", "25"))


@pytest.fixture(scope="module", autouse=True)
def no_server_left() -> Iterator[None]:
    """End the process that others are forked from; by itself it goes only some time after this one."""
    yield
    forkserver._forkserver._stop()


@contextmanager
def parts_on(services: dict[str, str], template: str, **more: str) -> Iterator[Parts]:
    """Children on a database and Redis databases of their own."""
    name = fresh_database(services, template)
    environ = environment(services, name) | more
    number = redis_number()  # one that no stack beside this has: its drainer and healer would join in
    for key in ("REDIS_URL", "MESSAGE_LOG_REDIS_URL"):
        environ[key] = urlunsplit(urlsplit(environ[key])._replace(path=f"/{number}"))
    superuser = urlunsplit(urlsplit(services["PARLEY_TEST_SUPERUSER_URL"])._replace(path=f"/{name}"))
    running = Parts(environ, superuser)
    try:
        yield running
    finally:
        running.close()


@pytest.fixture(scope="module")
def parts(services: dict[str, str], template: str) -> Iterator[Parts]:
    """The children of this module."""
    with parts_on(services, template) as running:
        yield running


def machine_on(parts: Parts) -> type[ParleyMachine]:
    """Give a machine that drives these parts."""

    class RealMachine(ParleyMachine):
        page = 50
        histories = 0

        @staticmethod
        def make_system(mode: str) -> RealSystem:
            return RealSystem(parts, mode)

    return RealMachine


def begun(parts: Parts, corner: str) -> ParleyMachine:
    """Give a machine at a corner, the log being written first."""
    kind = machine_on(parts)
    kind.corner = corner
    machine = kind()
    machine.begin(mode="behind", mishaps=set())
    return machine


def test_a_drain_can_be_stopped_between_any_two_of_its_stages(parts: Parts) -> None:
    """Else the adversary has lost its hands, and finds nothing."""
    machine = begun(parts, "no_log")
    stages, emits = [], {}
    for stage in Stage:
        stages.append(machine.system.advance(DRAINERS[0]) if stage else Stage.IDLE)
        emits[stage] = [emit.event for emit in machine.system.take_emits()]
    machine.system.close()
    assert stages == list(Stage)
    assert [stage for stage, told in emits.items() if told] == [Stage.EMITTED]
    assert [event.seq for event in emits[Stage.EMITTED] if isinstance(event, Message)] == [1]


def test_a_drainer_that_comes_late_seeds_no_emptied_cache_with_its_old_head(parts: Parts) -> None:
    """The found history of seed 354169616: whoever asks after each step must be told of what was announced meanwhile."""
    machine = begun(parts, "late_for_the_cache")
    assert machine.system.committed(CONVERSATIONS[0]).head == 6
    for _ in range(4):
        machine.all_holds()
        machine.drain(DRAINERS[0], 1)
    machine.all_holds()
    machine.come_to_rest()
    machine.system.close()


@pytest.mark.parametrize("corner", CORNERS)
def test_the_real_parts_keep_every_invariant(parts: Parts, corner: str) -> None:
    print(f"MODEL_SEED={SEED} repeats this run")
    attack(machine_on(parts), corner, by_seed=SEED, examples=EXAMPLES, steps=STEPS, shrink=False)


@pytest.mark.parametrize(("fault", "breaks"), [("settle all", {"I2"}), ("ignore removals", {"I8"})])
def test_the_machine_finds_a_fault_planted_into_the_real_parts(
    services: dict[str, str], template: str, fault: str, breaks: set[str]
) -> None:
    with parts_on(services, template, **{PLANT: fault}) as faulty:
        machine = machine_on(faulty)
        with pytest.raises(Broken) as found:
            attack(machine, "small_talk", by_seed=PLANTED_SEED, examples=60 * len(CORNERS), steps=STEPS, shrink=False)
    print(f"{fault}: {found.value.invariant} broken after {machine.histories} histories")
    assert found.value.invariant in breaks
