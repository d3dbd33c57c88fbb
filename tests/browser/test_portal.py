"""A customer in the portal and staff in the chat talk to each other; the link is the key, and stays out of sight."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.api.test_support import promote
from tests.browser.conftest import Arrive
from tests.support.clients import Person
from tests.support.stack import Stack

pytestmark = pytest.mark.parametrize("mode", ["behind"], indirect=True)


def test_a_customer_and_staff_talk_and_staff_resolve_it(stack: Stack, arrive: Arrive, name: str) -> None:
    sam = Person(stack.urls[1], f"{name}-sam")
    promote(stack, sam)
    customer = sam.ok("POST", "/customers", {"displayName": f"Mia {name}"})["customer"]
    token = sam.ok("POST", f"/customers/{customer['id']}/portal-tokens", {})["token"]

    hers = arrive(None, stack.url)
    asked: list[str] = []
    hers.page.on("request", lambda request: asked.append(request.url))
    hers.page.goto(f"{stack.url}/portal#{token}")
    hers.wait_until_live()
    assert hers.page.url == f"{stack.url}/portal", "the address forgets the token"
    assert not any(token in url.partition("#")[0] for url in asked), "no server ever sees it in an address"
    hers.say("Where is my parcel?")
    hers.sees_tick("Where is my parcel?")

    his = arrive(sam, stack.urls[1])
    his.page.goto(f"{stack.urls[1]}/support")
    his.page.get_by_role("link", name=f"Mia {name}").click()
    his.wait_until_live()
    his.sees("Where is my parcel?")
    his.say("It is on its way.")
    hers.sees("Where is my parcel?", "It is on its way.")
    bar = his.page.get_by_role("region", name="Care", exact=True)
    bar.get_by_role("button", name="Take").click()
    expect(bar).to_contain_text("Yours")
    bar.get_by_role("button", name="Resolve").click()
    expect(bar).to_contain_text("Resolved")
    hers.say("Thank you!")
    expect(bar.get_by_text("Open", exact=True)).to_be_visible()

    hers.page.reload()
    hers.wait_until_live()
    hers.sees("Where is my parcel?", "It is on its way.", "Thank you!")
    expect(hers.page.get_by_role("region", name="Care", exact=True)).to_have_count(0)


def test_a_link_that_is_no_longer_valid_says_so(stack: Stack, arrive: Arrive) -> None:
    stranger = arrive(None, stack.url)
    stranger.may_be_cut_off = True  # the browser reports the refused call
    stranger.page.goto(f"{stack.url}/portal#ptk_made-up")
    expect(stranger.page.get_by_role("alert")).to_contain_text("no longer valid")
    stranger.page.goto(f"{stack.url}/portal")
    stranger.page.reload()
    expect(stranger.page.get_by_role("alert")).to_contain_text("the link that you were given")
