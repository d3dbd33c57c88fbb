"""Getting in, and out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.support.clients import PASSWORD, Person
from tests.support.stack import Stack

pytestmark = pytest.mark.parametrize("mode", ["behind"], indirect=True)


def test_a_newcomer_makes_an_account_and_is_in(stack: Stack, name: str, arrive: Arrive) -> None:
    visitor = arrive(None, stack.url)
    visitor.page.goto(f"{stack.url}/")
    visitor.page.get_by_role("link", name="Make an account").click()
    for field, value in {"displayName": "Nora New", "username": name, "email": f"{name}@example.org"}.items():
        visitor.page.fill(f"#{field}", value)
    visitor.may_be_cut_off = True  # a refusal is in the console too
    visitor.page.fill("#password", "password1234")
    visitor.page.get_by_role("button", name="Make the account").click()
    expect(visitor.page.locator("#password")).to_have_accessible_description(re.compile("Password .*common"))
    visitor.page.fill("#password", PASSWORD)
    visitor.page.get_by_role("button", name="Make the account").click()
    visitor.wait_until_live()
    expect(visitor.page.get_by_text("You have no conversations yet.")).to_be_visible()
    expect(visitor.page.locator(".me-name")).to_have_text("Nora New")


def test_a_wrong_password_says_so_and_keeps_the_name(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    visitor = arrive(None, stack.url)
    visitor.may_be_cut_off = True
    visitor.page.goto(f"{stack.url}/chat")
    visitor.page.fill("#identifier", people[0].username)
    visitor.page.fill("#password", "not the password")
    visitor.page.get_by_role("button", name="Sign in").click()
    expect(visitor.page.get_by_role("alert")).to_contain_text("wrong")
    expect(visitor.page.locator("#identifier")).to_have_value(people[0].username)


def test_signing_out_ends_every_tab_of_that_browser(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    hers = arrive(people[0], stack.url)
    other = hers.new_page()
    other.goto(f"{stack.url}/chat")
    other.wait_for_selector("html[data-live]", state="attached")
    hers.may_be_cut_off = True
    hers.page.get_by_role("button", name="Log out").click()
    expect(hers.page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(other.get_by_text("You are signed out.")).to_be_visible(timeout=20_000)


def test_a_picture_is_put_beside_ones_name_and_taken_off(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive, tmp_path: Path
) -> None:
    ann, _ = people
    picture = tmp_path / "me.png"
    Image.new("RGB", (300, 200), "teal").save(picture)
    hers = arrive(ann, stack.url)
    hers.page.goto(f"{stack.url}/settings")
    hers.page.get_by_label("A picture").set_input_files(picture)
    shown = hers.page.locator("#own-picture img")
    expect(shown).to_have_js_property("naturalWidth", 256)
    hers.page.reload()
    expect(shown).to_have_js_property("naturalWidth", 256)
    hers.page.get_by_role("button", name="Take it off").click()
    expect(shown).to_have_count(0)
