"""Chromium, and people who sit in front of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.browser.visitor import Visitor
from tests.support.clients import Person
from tests.support.stack import Stack

playwright = pytest.importorskip("playwright.sync_api")
# The first that is there: without its windows, Chromium needs a third of the processor.
SHELL = "chromium-headless-shell"
WHOLE = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip
playwright.expect.set_options(timeout=10_000)  # a busy machine is not a fault
Arrive = Callable[..., Visitor]


class Browsers:
    """The system's browsers, each started when it is first asked for."""

    def __init__(self, tools: playwright.Playwright) -> None:
        self.tools = tools
        self.running: dict[tuple[str, ...], playwright.Browser] = {}

    def one_of(self, *names: str) -> playwright.Browser:
        """Give the first of these that is here."""
        if names not in self.running:
            found = next(filter(None, map(shutil.which, names)), None)
            if found is None:
                pytest.skip(f"there is none of {', '.join(names)} here")
            self.running[names] = self.tools.chromium.launch(executable_path=found, args=ARGUMENTS)
        return self.running[names]


@pytest.fixture(scope="session")
def browsers() -> Iterator[Browsers]:
    """The system's browsers."""
    with playwright.sync_playwright() as tools:
        those = Browsers(tools)
        yield those
        for browser in those.running.values():
            browser.close()


@pytest.fixture
def chromium(request: pytest.FixtureRequest, browsers: Browsers) -> playwright.Browser:
    """Chromium without its windows, or the whole of it for what needs that: notifications, and work without a page."""
    needs_whole = request.node.get_closest_marker("whole_chromium") is not None
    return browsers.one_of(*(() if needs_whole else (SHELL,)), *WHOLE)


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
