"""Finding what was said, and making it unread again."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.support.clients import Person, send_body
from tests.support.stack import Stack

pytestmark = pytest.mark.parametrize("mode", ["behind"], indirect=True)


def test_a_message_is_found_by_its_words_and_gone_to(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct, group = ann.direct(ben), ann.group(f"Trip {ann.username}", ben)
    for words in (f"the heron {ann.username}", "something else"):
        ben.ok("POST", "/messages/send", send_body(direct, words))
    ben.until_persisted(direct, 2)
    hers = arrive(ann, stack.url)
    hers.open(group)
    hers.page.keyboard.press("Control+Shift+f")
    dialog = hers.page.get_by_role("dialog", name="Search")
    dialog.get_by_label("Search messages").fill(f"heron {ann.username}")
    result = dialog.get_by_role("list", name="Messages found").get_by_role("button")
    expect(result).to_have_count(1)
    result.click()
    expect(hers.message(f"the heron {ann.username}")).to_be_focused()
    assert f"/chat/{direct}/" in hers.page.url


def test_a_message_is_made_unread_and_stays_so_until_it_is_looked_at_anew(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct, group = ann.direct(ben), ann.group(f"Trip {ann.username}", ben)
    for words in ("one", "two"):
        ben.ok("POST", "/messages/send", send_body(direct, words))
    ben.until_persisted(direct, 2)
    hers = arrive(ann, stack.url)
    hers.open(direct)
    badge = hers.listed(ben.username).locator(".badge")
    expect(badge).to_have_count(0)
    hers.press("two", "More")
    hers.page.get_by_role("menuitem", name="Mark unread from here").click()
    expect(badge).to_contain_text("1")
    hers.listed(f"Trip {ann.username}").click()
    expect(hers.page).to_have_url(f"{stack.url}/chat/{group}")
    expect(badge).to_contain_text("1")
    hers.listed(ben.username).click()
    expect(badge).to_have_count(0)
