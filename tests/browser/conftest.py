"""Chromium, and people who sit in front of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.browser.visitor import Visitor
from tests.support.clients import Person
from tests.support.stack import Stack

playwright = pytest.importorskip("playwright.sync_api")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip
playwright.expect.set_options(timeout=10_000)  # a busy machine is not a fault
Arrive = Callable[..., Visitor]


@pytest.fixture(scope="session")
def chromium() -> Iterator[playwright.Browser]:
    """The system's Chromium."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("there is no Chromium here")
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def arrive(chromium: playwright.Browser) -> Iterator[Arrive]:
    """Seat a person in front of a browser of their own, signed in; in the end no page may have had an error."""
    visitors: list[Visitor] = []

    def seat(person: Person | None, url: str, **options: object) -> Visitor:
        visitor = Visitor(chromium.new_context(**options), url, person)
        visitors.append(visitor)
        if person is not None:
            visitor.sign_in()
        return visitor

    yield seat
    for visitor in visitors:
        visitor.context.close()
    assert [error for visitor in visitors for error in visitor.errors] == []


@pytest.fixture
def people(stack: Stack, name: str) -> Iterator[tuple[Person, Person]]:
    """Ann and Ben, each on a web process of their own."""
    ann, ben = Person(stack.urls[0], f"{name}-ann"), Person(stack.urls[1], f"{name}-ben")
    yield ann, ben
    ann.close()
    ben.close()
