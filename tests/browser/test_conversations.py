"""Starting conversations, joining rooms, inviting, removing and leaving, as seen by all whom it concerns."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.support.clients import Person
from tests.support.stack import Stack

pytestmark = pytest.mark.parametrize("mode", ["behind"], indirect=True)


def test_a_direct_conversation_begins_with_a_name_and_appears_at_the_other_side(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    hers, his = arrive(ann, stack.urls[0]), arrive(ben, stack.urls[1])
    hers.page.get_by_role("button", name="New conversation").first.click()
    hers.page.get_by_label("With whom?").fill(ben.username)
    hers.page.get_by_role("button", name=f"@{ben.username}").click()
    hers.say("hello")
    his.listed(ann.username).click()
    his.sees("hello")


def test_a_room_is_made_browsed_joined_and_left(stack: Stack, people: tuple[Person, Person], arrive: Arrive) -> None:
    ann, ben = people
    hers, his = arrive(ann, stack.urls[0]), arrive(ben, stack.urls[1])
    title = f"Tea {ann.username}"
    hers.page.get_by_role("button", name="New conversation").first.click()
    hers.page.get_by_role("tab", name="Room").click()
    hers.page.get_by_label("Name", exact=True).fill(title)
    hers.page.get_by_role("button", name="Make the room").click()
    hers.say("who wants tea?")
    hers.sees_tick("who wants tea?")

    his.page.goto(f"{his.url}/rooms?q={title}")
    his.page.get_by_role("button", name="Join").click()
    his.wait_until_live()
    his.sees("who wants tea?")
    his.say("me")
    hers.sees("who wants tea?", "me")

    his.page.get_by_role("button", name="Details").click()
    his.page.get_by_role("button", name="Leave this room").click()
    expect(his.listed(title)).to_have_count(0)
    expect(hers.page.get_by_text("1 member")).to_be_visible()


def test_a_taken_address_is_said_beside_its_field(stack: Stack, people: tuple[Person, Person], arrive: Arrive) -> None:
    ann, _ = people
    ann.room(f"{ann.username}-room")
    hers = arrive(ann, stack.url)
    hers.page.get_by_role("button", name="New conversation").first.click()
    hers.page.get_by_role("tab", name="Room").click()
    hers.page.get_by_label("Name", exact=True).fill(f"{ann.username} room")
    hers.may_be_cut_off = True  # the refusal is in the console too
    hers.page.get_by_role("button", name="Make the room").click()
    expect(hers.page.get_by_label("Address")).to_have_accessible_description("Slug is taken.")


def test_one_who_is_invited_sees_the_group_and_one_who_is_removed_loses_it(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    group = ann.group(f"Trip {ann.username}")
    hers, his = arrive(ann, stack.urls[0]), arrive(ben, stack.urls[1])
    hers.open(group)
    hers.page.get_by_role("button", name="Details").click()
    hers.page.get_by_label("Invite").fill(ben.username)
    hers.page.get_by_role("button", name=f"@{ben.username}").click()
    his.listed(f"Trip {ann.username}").click()
    hers.say("welcome")
    his.sees("welcome")

    hers.page.get_by_role("button", name=f"Remove {ben.username}").click()
    expect(his.listed(f"Trip {ann.username}")).to_have_count(0)
    expect(his.page).to_have_url(f"{his.url}/chat")
