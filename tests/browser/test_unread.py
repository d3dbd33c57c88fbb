"""What is unread is counted, marked by a line, and read by being seen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.support.clients import Person, send_body
from tests.support.stack import Stack, until

pytestmark = pytest.mark.parametrize("mode", ["behind"], indirect=True)


def test_unread_messages_are_counted_and_reading_them_ends_that(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct, room = ann.direct(ben), ann.room(f"{ann.username}-elsewhere", ben)
    hers = arrive(ann, stack.url)
    hers.open(room)
    device = ben.socket()
    for number in range(3):
        device.ok("message:send", send_body(direct, f"line {number}"))
    badge = hers.listed(ben.username).locator(".badge")
    expect(badge).to_have_text("3 unread")
    expect(hers.page).to_have_title(re.compile(r"^\(3\) "))
    hers.listed(ben.username).click()
    hers.sees("line 0", "line 1", "line 2")
    expect(hers.page.locator(".new-line")).to_have_count(1)
    expect(badge).to_have_count(0)
    expect(hers.page).to_have_title(re.compile(r"^[^(]"))
    until(lambda: ann.ok("GET", "/messages/unread-count")["count"] == 0, what="read on the server too")


def test_reading_in_one_tab_is_known_in_the_other(stack: Stack, people: tuple[Person, Person], arrive: Arrive) -> None:
    ann, ben = people
    direct, room = ann.direct(ben), ann.room(f"{ann.username}-elsewhere", ben)
    hers = arrive(ann, stack.url)
    hers.open(direct)
    hers.listed(f"{ann.username}-elsewhere").click()  # the direct one stays loaded, but is not seen
    ben.socket().ok("message:send", send_body(direct, "hello"))
    expect(hers.listed(ben.username).locator(".badge")).to_have_text("1 unread")
    other = arrive(ann, stack.urls[1])
    other.open(direct)
    other.sees("hello")
    expect(hers.listed(ben.username).locator(".badge")).to_have_count(0)
    assert room
