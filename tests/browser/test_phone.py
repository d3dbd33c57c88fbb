"""On a phone there is one column: the list, or a conversation."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.support.clients import Person, send_body
from tests.support.stack import Stack

pytestmark = pytest.mark.parametrize("mode", ["behind"], indirect=True)

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_one_goes_from_the_list_to_a_conversation_and_back(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    ben.socket().ok("message:send", send_body(ben.direct(ann), "a long word: " + "x" * 300))
    hers = arrive(ann, stack.url, **PHONE)
    line = hers.listed(ben.username)
    line.tap()
    expect(line).to_be_hidden()
    expect(hers.composer).to_be_in_viewport()
    hers.composer.fill("short")
    hers.page.get_by_role("button", name="Send").tap()
    hers.sees_tick("short")
    assert hers.page.evaluate("document.documentElement.scrollWidth") == 390, "nothing sticks out"
    hers.page.get_by_role("link", name="All conversations").tap()
    expect(line).to_be_visible()
    expect(hers.composer).to_be_hidden()
    hers.page.go_back()
    expect(hers.composer).to_be_visible()
