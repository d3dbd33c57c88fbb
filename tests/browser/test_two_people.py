"""Two people talk in two browsers, each on a web process of their own, in both write modes."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.support.clients import Person
from tests.support.stack import Stack


def test_each_sees_what_both_say_once_and_in_order(stack: Stack, people: tuple[Person, Person], arrive: Arrive) -> None:
    ann, ben = people
    direct = ann.direct(ben)
    hers, his = arrive(ann, stack.urls[0]), arrive(ben, stack.urls[1])
    hers.open(direct)
    his.open(direct)
    said = []
    for number in range(6):
        speaker, other = (hers, his) if number % 2 else (his, hers)
        said.append(f"line {number}")
        speaker.say(said[-1])
        other.sees(*said)
    hers.sees_tick("line 5")
    hers.page.reload()
    hers.sees(*said)


def test_an_edit_a_reaction_a_reply_and_a_deletion_are_seen_at_once(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct = ann.direct(ben)
    hers, his = arrive(ann, stack.urls[0]), arrive(ben, stack.urls[1])
    hers.open(direct)
    his.open(direct)

    hers.say("frist")
    hers.sees_tick("frist")
    hers.press("frist", "Edit")
    hers.page.get_by_label("Edit message").fill("first")
    hers.page.get_by_label("Edit message").press("Enter")
    expect(his.message("first").get_by_text("edited")).to_be_visible()

    his.press("first", "React")
    his.page.locator('[data-emoji="🎉"]').click()
    expect(hers.message("first").locator(".reaction:not(.more)")).to_have_text("🎉 1")
    hers.message("first").locator(".reaction:not(.more)").click()
    expect(his.message("first").locator(".reaction:not(.more)")).to_have_text("🎉 2")
    his.message("first").locator(".reaction:not(.more)").click()
    expect(hers.message("first").locator(".reaction:not(.more)")).to_have_text("🎉 1")

    his.press("first", "Reply")
    his.say("second")
    expect(hers.message("second").locator(".quote")).to_contain_text("first")
    expect(hers.message("first").locator(".reply-count")).to_have_text("1 reply")

    hers.press("first", "Delete")
    hers.page.get_by_role("button", name="Undo").click()
    hers.sees("first", "second")
    hers.press("first", "Delete")
    expect(his.page.get_by_text("This message was deleted.").first).to_be_visible()
    his.sees("second")
    hers.sees("second")


def test_arrow_up_edits_my_last_message(stack: Stack, people: tuple[Person, Person], arrive: Arrive) -> None:
    ann, ben = people
    hers = arrive(ann, stack.url)
    hers.open(ann.direct(ben))
    hers.say("one")
    hers.say("two")
    hers.sees_tick("two")
    hers.composer.press("ArrowUp")
    expect(hers.page.get_by_label("Edit message")).to_have_value("two")
    hers.page.keyboard.press("Escape")
    expect(hers.page.get_by_label("Edit message")).to_have_count(0)
    hers.sees("one", "two")
