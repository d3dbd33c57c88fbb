"""The service worker: the chat opens without a network, sends what was left, and never shows old code."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Arrive
from tests.support.clients import Person
from tests.support.stack import Stack, until

pytestmark = [pytest.mark.parametrize("mode", ["behind"], indirect=True), pytest.mark.whole_chromium]
ACTIVE = """async () => {
    const { active } = (await navigator.serviceWorker.getRegistration()) ?? {};
    return active?.state === "activated" && active.scriptURL;
}"""


def worker_of(page: Page) -> str:
    """Wait until the worker has a page; gives its address. Those that were still loading when it took over are left out."""
    address = until(lambda: page.evaluate(ACTIVE), within_s=30, what="the worker is active")
    if not page.evaluate("Boolean(navigator.serviceWorker.controller)"):
        page.reload()
        page.wait_for_selector("html[data-live]", state="attached")
    return str(address)


def test_the_chat_opens_without_a_network_and_keeps_what_is_written_then(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    talk = ann.direct(ben)
    hers = arrive(ann, stack.url)
    hers.open(talk)
    assert worker_of(hers.page).endswith("/sw.js")
    hers.say("before")
    hers.sees_tick("before")
    hers.page.reload()
    hers.wait_until_live()
    hers.may_be_cut_off = True
    hers.context.set_offline(True)
    hers.page.reload()
    hers.wait_until_live()
    hers.sees("before")
    hers.say("written without a network")
    hers.page.reload()
    hers.wait_until_live()
    expect(hers.message("written without a network")).to_be_visible()
    hers.come_back()
    hers.sees_tick("written without a network")
    assert [one["content"] for one in ben.until_persisted(talk, 2)] == ["before", "written without a network"]


def test_signing_out_takes_the_kept_pages_along(stack: Stack, people: tuple[Person, Person], arrive: Arrive) -> None:
    ann, ben = people
    hers = arrive(ann, stack.url)
    hers.open(ann.direct(ben))
    worker_of(hers.page)
    hers.page.reload()
    hers.wait_until_live()
    assert hers.page.evaluate("caches.has('parley-pages')")
    hers.page.get_by_role("button", name="Log out").click()
    hers.page.wait_for_url("**/login")
    until(lambda: not hers.page.evaluate("caches.has('parley-pages')"), what="the kept pages are gone")


def test_a_page_that_signs_out_before_its_first_quiet_moment_leaves_no_name_behind(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    hers = arrive(ann, stack.url)
    hers.open(ann.direct(ben))
    worker_of(hers.page)
    hers.page.add_init_script("window.requestIdleCallback = (quiet) => (window.quiet = quiet);")
    hers.page.reload()
    hers.wait_until_live()
    hers.page.evaluate("""async () => {
        document.querySelector('form[action="/logout"]').dispatchEvent(new Event("submit", { bubbles: true }));
        await caches.delete("parley-pages");
        await window.quiet();
    }""")
    assert not hers.page.evaluate("caches.has('parley-pages')")


def test_one_notification_for_two_tabs(stack: Stack, people: tuple[Person, Person], arrive: Arrive) -> None:
    ann, ben = people
    talk = ann.direct(ben)
    hers = arrive(ann, stack.url)
    hers.context.grant_permissions(["notifications"])
    hers.page.evaluate("localStorage.setItem('parley_device', JSON.stringify({ desktop: true }))")
    other = hers.new_page()
    for page in (hers.page, other):
        page.goto(f"{stack.url}/chat")
        page.wait_for_selector("html[data-live]", state="attached")
        worker_of(page)
    # The two modules that a quiet page fetches are there once the lock is held.
    until(lambda: hers.page.evaluate(HELD), what="a tab leads")
    ben.ok("POST", "/messages/send", {"conversationId": talk, "content": "Are you **there**?"})
    shown = until(lambda: hers.page.evaluate(SHOWN), what="a notification")
    assert shown == [[f"{ben.username}", "Are you there?"]]


HELD = "async () => (await navigator.locks.query()).held.some(({ name }) => name === 'parley-notifier')"
SHOWN = """async () => {
    const registration = await navigator.serviceWorker.ready;
    return (await registration.getNotifications()).map(({ title, body }) => [title, body]);
}"""


def test_what_the_last_page_left_is_sent_by_the_worker(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    talk = ann.direct(ben)
    hers = arrive(ann, stack.url)
    hers.open(talk)
    worker_of(hers.page)
    hers.page.reload()
    hers.wait_until_live()
    hers.cut_off()
    hers.say("left behind")
    expect(hers.message("left behind")).to_be_visible()
    hers.page.close()
    hers.context.set_offline(False)
    sent = until(lambda: [one["content"] for one in ben.history(talk)], within_s=30, what="the worker sends it")
    assert sent == ["left behind"]
