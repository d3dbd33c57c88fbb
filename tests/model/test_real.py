"""The real parts keep every invariant against the adversary: the same machine, on PostgreSQL, Redis and real processes."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from multiprocessing import forkserver
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.model.corners import CORNERS
from tests.model.machine import ParleyMachine
from tests.model.real import Parts, RealSystem
from tests.model.test_machine import SEED, attack
from tests.support.stack import environment, fresh_database

EXAMPLES = int(os.environ.get("MODEL_REAL_EXAMPLES", "70"))
STEPS = int(os.environ.get("MODEL_REAL_STEPS", "25"))


@pytest.fixture(scope="module", autouse=True)
def no_server_left() -> Iterator[None]:
    """End the process that others are forked from; by itself it goes only some time after this one."""
    yield
    forkserver._forkserver._stop()


@pytest.fixture(scope="module")
def parts(services: dict[str, str], template: str) -> Iterator[Parts]:
    """The children of this module on a database and Redis databases of their own."""
    name = fresh_database(services, template)
    environ = environment(services, name)
    number = secrets.randbelow(14) + 1
    for key in ("REDIS_URL", "MESSAGE_LOG_REDIS_URL"):
        environ[key] = urlunsplit(urlsplit(environ[key])._replace(path=f"/{number}"))
    superuser = urlunsplit(urlsplit(services["PARLEY_TEST_SUPERUSER_URL"])._replace(path=f"/{name}"))
    running = Parts(environ, superuser)
    yield running
    running.close()


@pytest.mark.parametrize("corner", CORNERS)
def test_the_real_parts_keep_every_invariant(parts: Parts, corner: str) -> None:
    class RealMachine(ParleyMachine):
        page = 50

        @staticmethod
        def make_system(mode: str) -> RealSystem:
            return RealSystem(parts, mode)

    print(f"MODEL_SEED={SEED} repeats this run")
    attack(RealMachine, corner, by_seed=SEED, examples=EXAMPLES, steps=STEPS, shrink=False)
