"""The real parts, once for the whole run: PostgreSQL and Redis of its own, a migrated database, and live stacks.

``services`` starts the servers; ``database`` is a migrated database of the application's own role; ``stack`` is a running
Parley (web processes and a worker) in one write mode. Tests that name ``mode`` run in both.
"""

from __future__ import annotations

import gc
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from hypothesis import settings

import embedded
from tests.support.cast import Cast
from tests.support.clients import Person
from tests.support.doors import RestDoor, SocketDoor
from tests.support.inside import Inside
from tests.support.stack import Stack, fresh_database

os.environ.setdefault("PYTHONWARNINGS", "ignore::DeprecationWarning")
settings.register_profile("parley", deadline=None)  # a slow machine is not a wrong answer
settings.load_profile("parley")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run take one write mode only; what has none runs with `behind`."""
    parser.addoption("--only-mode", choices=["behind", "through"], help="run only the tests of this write mode")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of the other write mode."""
    wanted = config.getoption("--only-mode")
    if wanted:
        others = [item for item in items if _mode_of(item) != wanted]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if _mode_of(item) == wanted]


def pytest_collection_finish() -> None:
    """Have the cycle collector leave alone what was collected: each of its rounds would walk over thousands of tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _mode_of(item: pytest.Item) -> str:
    call = getattr(item, "callspec", None)
    return str(call.params.get("mode", "behind")) if call else "behind"


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of a PostgreSQL and two Redis: those given for tests, else embedded ones."""
    if os.environ.get("TEST_SUPERUSER_URL"):  # CI against Debian's servers
        yield {
            "PARLEY_TEST_SUPERUSER_URL": os.environ["TEST_SUPERUSER_URL"],
            "REDIS_URL": os.environ["TEST_REDIS_URL"],
            "MESSAGE_LOG_REDIS_URL": os.environ["TEST_LOG_REDIS_URL"],
        }
        return
    with embedded.services(Path(tmp_path_factory.mktemp("instance")), throwaway=True) as env:
        yield env


@pytest.fixture(scope="session")
def template(services: dict[str, str]) -> str:
    """A migrated database to copy; gives its name."""
    return fresh_database(services, None)


@pytest.fixture(scope="session", params=["behind", "through"])
def mode(request: pytest.FixtureRequest) -> str:
    """Each write mode in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def stack(
    services: dict[str, str], template: str, mode: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A running Parley with two web processes and a worker, in a write mode. Shared: make your own people and rooms."""
    running = Stack.make(services, template, mode, tmp_path_factory.mktemp(f"stack-{mode}"))
    running.start()
    yield running
    running.end()


@pytest.fixture(scope="session")
def inside(stack: Stack) -> Iterator[Inside]:
    """The database and the two Redis of the shared stack."""
    looking = Inside(stack)
    yield looking
    looking.close()


@pytest.fixture(scope="session")
def cast(stack: Stack) -> Iterator[Cast]:
    """Ann, Ben, Cyd and Dan, each with a device, on both web processes; make your own rooms for them."""
    people = Cast(stack)
    yield people
    people.close()


@pytest.fixture(params=["rest", "socket"])
def door(request: pytest.FixtureRequest, cast: Cast) -> Callable[[Person], RestDoor | SocketDoor]:
    """Each door in turn: ``door(person).send(…)``."""

    def enter(person: Person) -> RestDoor | SocketDoor:
        return RestDoor(person) if request.param == "rest" else SocketDoor(person, cast.device(person))

    return enter


@pytest.fixture
def own_stack(services: dict[str, str], template: str, tmp_path: Path) -> Iterator[Stack]:
    """A Parley of this test's own, behind, to kill and restart as it likes; start it yourself."""
    running = Stack.make(services, template, "behind", tmp_path)
    yield running
    running.end()


@pytest.fixture
def name() -> str:
    """A word that nothing else in this run uses."""
    return "n" + uuid.uuid4().hex[:12]


@pytest.fixture(scope="session")
def superuser(services: dict[str, str]) -> Iterator[psycopg2.extensions.connection]:
    """A superuser's connection, for looking at what row security hides."""
    connection = psycopg2.connect(services["PARLEY_TEST_SUPERUSER_URL"])
    connection.autocommit = True
    yield connection
    connection.close()
