"""axe-core finds nothing serious on any page, and everything works by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.api.test_support import customer_of, promote
from tests.browser.conftest import Arrive
from tests.support.clients import Person, send_body
from tests.support.stack import Stack

pytestmark = pytest.mark.parametrize("mode", ["behind"], indirect=True)
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
RUN = """async () => {
  const { violations } = await axe.run({ resultTypes: ["violations"] });
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html }) => html.slice(0, 200))]);
}"""


def serious(page: Page) -> list[Any]:
    """List what shuts somebody out on a page, as it is now."""
    page.evaluate(AXE.read_text())  # past the page's policy, which would not let it in
    found = page.evaluate(RUN)
    assert isinstance(found, list)
    return found


@pytest.fixture(autouse=True)
def _axe() -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not there: `npm ci` has not run")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_nothing_serious_is_found_on_the_chat_in_any_of_its_states(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive, colours: str
) -> None:
    ann, ben = people
    room = ann.room(f"{ann.username}-room", ben)
    words = (
        "**Hello** `code` https://example.org/",
        "```js\nlet a = 1; // one\n```",
        f"> a\n\n@{ann.username} 👍",
        "- [x] done",
    )
    sent = [ben.ok("POST", "/messages/send", send_body(room, one))["message"] for one in words]
    ben.until_persisted(room, len(words))
    ben.ok("PUT", f"/messages/{sent[0]['id']}/reactions/👍")
    ben.ok("POST", "/messages/send", send_body(room, "an answer", replyToId=sent[0]["id"]))
    # Judged is how things look at rest: halfway through appearing, all is pale.
    hers = arrive(ann, stack.url, color_scheme=colours, reduced_motion="reduce")
    hers.open(room)
    hers.say("mine")
    hers.sees_tick("mine")
    found = {"chat": serious(hers.page)}
    hers.page.get_by_role("button", name="1 reply").click()
    expect(hers.page.get_by_role("complementary", name="Thread").locator(".message-text")).to_have_count(2)
    found["thread"] = serious(hers.page)
    hers.page.get_by_role("button", name="Details").click()
    expect(hers.page.get_by_role("complementary", name="Details")).to_be_visible()
    found["details"] = serious(hers.page)
    hers.press("mine", "React")
    expect(hers.page.get_by_role("option").nth(10)).to_be_visible()
    found["picker"] = serious(hers.page)
    hers.page.keyboard.press("Escape")
    hers.press("mine", "More")
    found["menu"] = serious(hers.page)
    hers.page.get_by_role("menuitem", name="What happened to it").click()
    expect(hers.page.get_by_role("dialog")).to_be_visible()
    found["passport"] = serious(hers.page)
    hers.page.keyboard.press("Escape")
    hers.cut_off()
    hers.say("kept")
    expect(hers.page.get_by_role("region", name="Waiting to be sent")).to_be_visible()
    found["offline"] = serious(hers.page)
    hers.come_back()
    assert {state: problems for state, problems in found.items() if problems} == {}


def test_nothing_serious_is_found_on_the_other_pages(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    ben.room(f"{ben.username}-open")
    promote(stack, ann, "admin")
    customer, _, _ = customer_of(ann, f"{ann.username}-mia")
    customer.ok("POST", "/conversations", {"kind": "support"})
    stranger, hers = (arrive(person, stack.url, reduced_motion="reduce") for person in (None, ann))
    hers.may_be_cut_off = True  # the pages that are not there say so in the console
    found = {}
    for visitor, path in (
        (stranger, "/login"), (stranger, "/register"), (stranger, "/forgot"), (hers, "/chat"), (hers, "/rooms"),
        (hers, "/people"), (hers, "/settings"), (hers, "/nowhere"), (hers, "/api/docs"),
        (hers, "/support"), (hers, "/support/customers"), (hers, "/admin"), (stranger, "/portal"), (stranger, "/offline"),
    ):  # fmt: skip
        visitor.page.goto(stack.url + path)
        found[path] = serious(visitor.page)
    hers.page.evaluate("document.body.append(document.createElement('button'))")
    assert serious(hers.page), "a button without a name would have been found"
    assert {path: problems for path, problems in found.items() if problems} == {}


def test_all_is_done_by_keyboard(stack: Stack, people: tuple[Person, Person], arrive: Arrive) -> None:
    ann, ben = people
    direct, group = ann.direct(ben), ann.group(f"Trip {ann.username}", ben)
    hers = arrive(ann, stack.url)
    keys = hers.page.keyboard
    keys.press("Control+k")
    hers.page.get_by_label("Go to a conversation or a person").press_sequentially(f"trip {ann.username}")
    expect(hers.page.get_by_role("option", selected=True)).to_contain_text(f"Trip {ann.username}")
    keys.press("Enter")
    expect(hers.page).to_have_url(f"{stack.url}/chat/{group}")
    expect(hers.composer).to_be_focused()
    keys.type("written by hand")
    keys.press("Enter")
    hers.sees_tick("written by hand")
    keys.press("ArrowUp")
    expect(hers.page.get_by_label("Edit message")).to_be_focused()
    keys.press("Escape")
    expect(hers.composer).to_be_focused()
    keys.press("Alt+ArrowDown")
    expect(hers.page).to_have_url(f"{stack.url}/chat/{direct}")
    expect(hers.composer).to_be_focused()
    hers.page.locator(".timeline").focus()
    keys.press("?")
    expect(hers.page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    keys.press("Escape")
    expect(hers.page.get_by_role("dialog")).to_have_count(0)
    expect(hers.page.locator(".timeline")).to_be_focused()
