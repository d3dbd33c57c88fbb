"""What one writes and how it is shown: Markdown, code, names, emoji, files, threads, earlier wordings, links."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.support.clients import Person, send_body
from tests.support.stack import Stack, until

pytestmark = pytest.mark.parametrize("mode", ["behind"], indirect=True)
# No frame is drawn between the two, as when somebody types fast or the browser is slow.
ENTER_AND_A_KEY = """(area, key) => {
    area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    document.execCommand("insertText", false, key);
}"""
CODE = "```python\ndef answer() -> int:\n    return 42\n```"


def test_markdown_becomes_elements_and_code_is_coloured_and_copied(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct = ann.direct(ben)
    device = ben.socket()
    device.ok("message:send", send_body(direct, "**bold** 2*3*4 `x<y`\n- one\n- two"))
    device.ok("message:send", send_body(direct, CODE))
    device.ok("message:send", send_body(direct, "\n".join(f"line {number}" for number in range(60))))
    hers = arrive(ann, stack.url, permissions=["clipboard-read", "clipboard-write"])
    hers.open(direct)
    first = hers.page.locator(".message-text").first
    expect(first.locator("strong")).to_have_text("bold")
    expect(first.locator("code")).to_have_text("x<y")
    expect(first.locator("li")).to_have_text(["one", "two"])
    expect(first).to_contain_text("2*3*4")
    expect(hers.page.locator(".hl-keyword").first).to_have_text("def")
    hers.page.get_by_role("button", name="Copy", exact=True).click()
    copied = "def answer() -> int:\n    return 42"
    until(lambda: hers.page.evaluate("navigator.clipboard.readText()") == copied, what="it is on the clipboard")
    hers.page.get_by_role("button", name="Show all").click()
    expect(hers.page.get_by_role("button", name="Show less")).to_be_visible()


def test_people_and_emoji_are_completed_and_a_mention_stands_out(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct = ann.direct(ben)
    hers, his = arrive(ann, stack.urls[0]), arrive(ben, stack.urls[1])
    hers.open(direct)
    his.open(direct)
    hers.composer.press_sequentially(f"hello @{ben.username[:-1]}")
    expect(hers.page.get_by_role("option")).to_contain_text(f"@{ben.username}")
    hers.composer.evaluate(ENTER_AND_A_KEY, ":")
    hers.composer.press_sequentially("tada")
    expect(hers.page.get_by_role("option").first).to_contain_text("🎉")
    hers.composer.press("Tab")
    expect(hers.composer).to_have_value(f"hello @{ben.username} 🎉 ")
    hers.composer.press("Enter")
    expect(his.page.locator(".mention.of-me")).to_have_text(f"@{ben.username}")


def test_a_reply_is_written_in_its_thread_and_seen_on_both_sides(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct = ann.direct(ben)
    ben.ok("POST", "/messages/send", send_body(direct, "the question"))
    ben.until_persisted(direct, 1)
    hers, his = arrive(ann, stack.urls[0]), arrive(ben, stack.urls[1])
    hers.open(direct)
    his.open(direct)
    hers.press("the question", "More")
    hers.page.get_by_role("menuitem", name="Open the thread").click()
    thread = hers.page.get_by_role("complementary", name="Thread")
    thread.get_by_label("Reply in the thread").fill("the answer")
    thread.get_by_label("Reply in the thread").press("Enter")
    expect(thread.locator(".message-text")).to_have_text(["the question", "the answer"])
    his.page.get_by_role("button", name="1 reply").click()
    his_thread = his.page.get_by_role("complementary", name="Thread")
    expect(his_thread.locator(".message-text")).to_have_text(["the question", "the answer"])
    hers.say("said outside")
    expect(his.message("said outside")).to_be_visible()
    expect(his_thread.locator(".message-text")).to_have_count(2)


def test_earlier_wordings_are_told_and_who_has_read(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct = ann.direct(ben)
    hers = arrive(ann, stack.urls[0])
    hers.open(direct)
    hers.say("frist")
    hers.sees_tick("frist")
    hers.press("frist", "Edit")
    hers.page.get_by_label("Edit message").fill("first")
    hers.page.get_by_label("Edit message").press("Enter")
    hers.message("first").get_by_role("button", name="edited").click()
    dialog = hers.page.get_by_role("dialog", name="Edited")
    expect(dialog.locator("blockquote")).to_have_text(["first", "frist"])
    dialog.get_by_role("button", name="Close").click()
    his = arrive(ben, stack.urls[1])
    his.open(direct)
    his.page.bring_to_front()
    his.sees("first")
    hers.message("first").locator(".tick.read").click()
    expect(hers.page.get_by_role("dialog")).to_contain_text(f"Read by {ben.username}")


def test_a_picture_is_pasted_sent_and_keeps_its_place(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct = ann.direct(ben)
    hers, his = arrive(ann, stack.urls[0]), arrive(ben, stack.urls[1])
    hers.open(direct)
    his.open(direct)
    hers.page.evaluate("""async () => {
        const canvas = new OffscreenCanvas(640, 480);
        canvas.getContext("2d").fillRect(0, 0, 640, 480);
        const files = new DataTransfer();
        files.items.add(new File([await canvas.convertToBlob()], "black.png", { type: "image/png" }));
        const event = new ClipboardEvent("paste", { clipboardData: files, bubbles: true, cancelable: true });
        document.querySelector(".composer textarea").dispatchEvent(event);
    }""")
    expect(hers.page.locator(".tray li.done")).to_contain_text("black.png")
    hers.page.reload()
    hers.wait_until_live()
    expect(hers.page.locator(".tray li.done")).to_contain_text("black.png")  # a draft keeps its files
    hers.page.get_by_role("button", name="Send").click()
    expect(hers.page.locator(".tray")).to_have_count(0)
    picture = his.page.locator(".picture img")
    expect(picture).to_have_attribute("alt", "black.png")
    box = picture.bounding_box()
    assert box is not None
    assert abs(box["width"] / box["height"] - 4 / 3) < 0.02
    his.page.wait_for_function("() => document.querySelector('.picture img').naturalWidth > 0")
    assert picture.bounding_box() == box, "nothing moved when it came"
