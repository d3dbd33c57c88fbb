"""One of two is away for a while, in every way that happens; nothing is lost, doubled or out of order."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.support.clients import Person, send_body
from tests.support.stack import Stack

pytestmark = pytest.mark.parametrize("mode", ["behind"], indirect=True)


def test_what_was_said_changed_and_deleted_while_offline_is_there_on_return(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct = ann.direct(ben)
    device = ben.socket()
    first, second = (device.ok("message:send", send_body(direct, words))["message"] for words in ("one", "two"))
    ben.until_persisted(direct, 2)
    hers = arrive(ann, stack.url)
    hers.open(direct)
    hers.sees("one", "two")

    hers.cut_off()
    device.ok("message:edit", {"messageId": first["id"], "content": "one, edited"})
    device.ok("message:delete", {"messageId": second["id"]})
    for number in range(3, 60):
        device.ok("message:send", send_body(direct, f"n{number}"))
    hers.sees("one", "two")

    hers.come_back()
    hers.sees("one, edited", *(f"n{number}" for number in range(3, 60)), within_s=20)
    expect(hers.page.locator(".tombstone")).to_have_count(1)


def test_what_is_written_offline_waits_in_sight_and_is_sent_in_order_on_return(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct = ann.direct(ben)
    hers, his = arrive(ann, stack.urls[0]), arrive(ben, stack.urls[1])
    hers.open(direct)
    his.open(direct)
    hers.cut_off()
    mine = [f"mine {number}" for number in range(5)]
    for words in mine:
        hers.say(words)
    his.say("his")
    expect(hers.message("mine 4").get_by_role("img", name="Waiting")).to_be_visible()
    hers.come_back()
    his.sees("his", *mine, within_s=20)
    hers.sees("his", *mine)
    hers.sees_tick("mine 4")


def test_a_page_closed_with_a_full_outbox_sends_it_when_it_is_opened_again(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct = ann.direct(ben)
    hers, his = arrive(ann, stack.urls[0]), arrive(ben, stack.urls[1])
    hers.open(direct)
    his.open(direct)
    hers.cut_off()
    for words in ("one", "two", "three"):
        hers.say(words)
    expect(hers.message("three").get_by_role("img", name="Waiting")).to_be_visible()
    hers.page.close()
    hers.context.set_offline(False)
    hers.page = hers.new_page()
    hers.open(direct)
    his.sees("one", "two", "three", within_s=20)
    hers.sees("one", "two", "three")
    hers.sees_tick("three")


def test_words_not_sent_yet_outlive_a_reload(stack: Stack, people: tuple[Person, Person], arrive: Arrive) -> None:
    ann, ben = people
    hers = arrive(ann, stack.url)
    hers.open(ann.direct(ben))
    hers.composer.fill("half a thought")
    hers.page.reload()
    hers.wait_until_live()
    expect(hers.composer).to_have_value("half a thought")


@pytest.mark.slow
def test_a_server_killed_and_started_again_costs_nobody_a_message(
    own_stack: Stack, mode: str, name: str, arrive: Arrive
) -> None:
    own_stack.start()
    ann, ben = Person(own_stack.urls[0], f"{name}-ann"), Person(own_stack.urls[1], f"{name}-ben")
    direct = ann.direct(ben)
    hers, his = arrive(ann, own_stack.urls[0]), arrive(ben, own_stack.urls[1])
    hers.open(direct)
    his.open(direct)
    hers.say("before")
    his.sees("before")

    hers.may_be_cut_off = True
    own_stack.webs[0].kill()
    expect(hers.page.get_by_text("No connection")).to_be_visible(timeout=20_000)
    his.say("while she is away")
    hers.say("while I am away")
    own_stack.webs[0].start()
    own_stack.wait_until_ready()

    his.sees("before", "while she is away", "while I am away", within_s=30)
    hers.sees("before", "while she is away", "while I am away")
    hers.sees_tick("while I am away")
    ann.close()
    ben.close()
