"""A long conversation: it opens at its end, and what is above comes without moving what is looked at."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.support.clients import Person, send_body
from tests.support.inside import Inside
from tests.support.stack import Stack, until

pytestmark = pytest.mark.parametrize("mode", ["behind"], indirect=True)

FIRST_IN_SIGHT = """() => {
  const edge = document.querySelector(".timeline").getBoundingClientRect().top;
  const first = [...document.querySelectorAll(".message")].find((one) => one.getBoundingClientRect().top >= edge);
  return [first.dataset.seq, Math.round(first.getBoundingClientRect().top)];
}"""
PLACE = """(seq) => Math.round(document.querySelector(`[data-seq="${seq}"]`).getBoundingClientRect().top)"""


def test_scrolling_up_loads_everything_and_new_messages_do_not_move_the_page(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct = ann.direct(ben)
    device = ben.socket()
    said = [f"line {number} " + "and more " * (number % 17) for number in range(230)]
    for words in said:
        device.ok("message:send", send_body(direct, words))
    ben.until_persisted(direct, 200)

    hers = arrive(ann, stack.url)
    hers.open(direct)
    timeline = hers.page.get_by_role("log")
    expect(hers.page.locator(".message-text").last).to_have_text(said[-1].strip())
    assert timeline.evaluate("(log) => log.scrollTop") == 0

    texts = hers.page.locator(".message-text")
    seen: set[str] = set()

    def scroll_and_see() -> bool:
        timeline.evaluate("(log) => log.scrollTo(0, -log.scrollHeight)")
        shown = texts.all_text_contents()
        assert len(shown) <= 180, "a page holds a part of a long conversation"
        seen.update(shown)
        return said[0].strip() in seen

    until(scroll_and_see, within_s=30, what="the first message is in sight")
    hers.page.get_by_role("button", name="Latest").click()
    expect(texts.last).to_have_text(said[-1].strip())
    seen.update(texts.all_text_contents())
    assert seen == {words.strip() for words in said}

    timeline.evaluate("(log) => log.scrollTo(0, -2000)")
    before = hers.page.evaluate(FIRST_IN_SIGHT)
    device.ok("message:send", send_body(direct, "said meanwhile"))
    expect(texts.last).to_have_text("said meanwhile")
    assert hers.page.evaluate(FIRST_IN_SIGHT) == before
    hers.page.get_by_role("button", name="1 new").click()
    expect(texts.last).to_be_in_viewport()


def test_a_page_of_history_arriving_does_not_move_what_is_looked_at(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct = ann.direct(ben)
    device = ben.socket()
    for number in range(120):
        device.ok("message:send", send_body(direct, f"line {number}\nand the same again"))
    ben.until_persisted(direct, 120)
    hers = arrive(ann, stack.url)
    hers.open(direct)
    pages: list[object] = []
    hers.page.route("**/messages?before=*", lambda route: pages.append(route))  # noqa: PLW0108 (it asks who calls)
    timeline = hers.page.get_by_role("log")
    timeline.evaluate("(log) => log.scrollTo(0, -log.scrollHeight + log.clientHeight + 260)")
    hers.page.wait_for_function("() => document.querySelectorAll('.message').length === 49")
    while not pages:
        hers.page.wait_for_timeout(20)  # lets the browser's own events be heard
    seq, top = hers.page.evaluate(FIRST_IN_SIGHT)
    pages[0].continue_()  # type: ignore[attr-defined]
    expect(hers.page.locator(".message")).to_have_count(99)
    assert hers.page.evaluate(PLACE, seq) == top
    hers.page.unroute_all(behavior="ignoreErrors")


def test_a_room_of_five_thousand_messages_is_smooth_and_any_of_them_is_a_link_away(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    room = ann.room(f"{ann.username}-long", ben)
    inside = Inside(stack)
    inside.fill(room, ben.id, 5_000)
    wanted = inside.rows("SELECT id FROM messages WHERE conversation_id = %s AND seq = 1234", room)[0][0]
    inside.close()
    hers = arrive(ann, stack.url)
    hers.page.goto(f"{stack.url}/chat/{room}/{wanted}")
    hers.wait_until_live()
    expect(hers.message("line 1234")).to_be_in_viewport()
    expect(hers.message("line 1234")).to_be_focused()
    rows = hers.page.locator(".message")
    assert rows.count() < 200
    moved = hers.page.evaluate(SCROLL_BY_SCREENS, 40)
    assert moved["most"] <= 240, "the page holds a part"
    assert moved["jumps"] == [], "no message moved but by scrolling"
    hers.page.locator(".to-latest").click()
    expect(hers.message("line 5000")).to_be_in_viewport()
    ben.ok("POST", "/messages/send", send_body(room, "one more"))
    expect(hers.message("one more")).to_be_in_viewport()
    expect(hers.page.get_by_text("Complete to #5001")).to_be_visible()


# Scrolls up a step at a time. A row in sight may move by the step and by nothing else.
SCROLL_BY_SCREENS = """async (times) => {
  const log = document.querySelector(".timeline");
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve()));
  const place = (seq) => document.querySelector(`.timeline [data-seq="${seq}"]`)?.getBoundingClientRect().top;
  const jumps = [];
  let most = 0;
  for (let time = 0; time < times; time += 1) {
    const edge = log.getBoundingClientRect();
    const inSight = [...log.querySelectorAll(".message")].map((one) => [one.dataset.seq, one.getBoundingClientRect().top])
      .filter(([, top]) => top > edge.top && top < edge.bottom - 300);
    const before = log.scrollTop;
    log.scrollTop -= 250;
    const by = before - log.scrollTop;
    for (let wait = 0; wait < 6; wait += 1) await frame();
    for (const [seq, top] of inSight) {
      const now = place(seq);
      if (now !== undefined && Math.abs(now - top - by) > 2) jumps.push([time, seq, now - top - by]);
    }
    most = Math.max(most, log.querySelectorAll(".message").length);
  }
  return { jumps, most };
}"""
