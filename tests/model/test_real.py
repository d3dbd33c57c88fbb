"""The real parts keep every invariant against the adversary: the same machine, on PostgreSQL, Redis and real processes."""

from __future__ import annotations

import os
import secrets
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
from tests.model.test_machine import SEED, attack
from tests.support.stack import environment, fresh_database

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
    number = secrets.randbelow(14) + 1
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
