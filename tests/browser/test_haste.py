"""Fast hands, slow frames, late answers: nothing typed goes elsewhere, no press is lost, nobody is led astray."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Arrive
from tests.browser.visitor import Visitor
from tests.support.clients import Person, send_body
from tests.support.stack import Stack

pytestmark = pytest.mark.parametrize("mode", ["behind"], indirect=True)

# The page's own session: what it asks for can be held back as long as a test wants.
SESSION = """const page = document.querySelector('script[type="module"]').src;
const messaging = page.replace("pages/chat.js", "realtime/messaging.js");
const { session } = (await import(messaging)).getRealtimeManager();"""
# Between two of these no frame is drawn; what an element does on being made is done.
AT_ONCE = "for (let turn = 0; turn < 20; turn += 1) await null;"


def on_page(page: Page, what: str) -> object:
    """Do something in one go, before anything else happens on the page."""
    return page.evaluate(f"async () => {{ {SESSION} {what} }}")


def held(page: Page, where: str) -> Callable[[], None]:
    """Hold back the answers to these requests; gives what lets them come."""
    waiting: list[Route] = []
    over: list[bool] = []
    page.route(where, lambda route: route.continue_() if over else waiting.append(route))

    def let_come() -> None:
        over.append(True)
        for route in waiting:
            route.continue_()

    return let_come


def test_what_is_typed_goes_where_one_types(stack: Stack, people: tuple[Person, Person], arrive: Arrive) -> None:
    ann, ben = people
    direct, group = ann.direct(ben), ann.group(f"Trip {ann.username}", ben)
    asked = ben.ok("POST", "/messages/send", send_body(group, "the question"))["message"]
    ben.ok("POST", "/messages/send", send_body(group, "the answer", replyToId=asked["id"]))
    hers = arrive(ann, stack.url)
    hers.open(direct)
    let_come = held(hers.page, f"**/conversations/{group}/messages*")
    hers.listed(f"Trip {ann.username}").click()
    seek = hers.page.get_by_label("Find a conversation")
    seek.press_sequentially("Tr")
    let_come()
    expect(hers.composer).to_be_visible()
    hers.page.keyboard.type("ip")
    expect(seek).to_have_value("Trip")  # the talk that came late has not taken the focus

    on_page(hers.page, "session.fetchMessage = () => new Promise((resolve) => (window.letCome = resolve));")
    hers.message("the answer").locator(".quote").click()
    hers.composer.press_sequentially("half ")
    hers.page.evaluate("letCome()")
    expect(hers.page.locator(".message.found")).to_be_visible()
    hers.page.keyboard.type("a thought")
    expect(hers.composer).to_have_value("half a thought")

    opened = on_page(
        hers.page,
        f"""document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {{ key: "k", ctrlKey: true, bubbles: true }}));
        {AT_ONCE}
        return document.activeElement.placeholder;""",
    )
    assert opened == "A conversation or a person", "the next key is meant for what was opened"


PLACES = """() => Object.fromEntries([...document.querySelectorAll(
    "[href='/people'], .seek, .section-label, .conversation-item, .me, .conversation-head h1, .timeline, .message, textarea"
)].filter((one) => !one.closest("[aria-label=People].sidebar-section")).map((one, index) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    return [`${index} ${one.className || one.tagName}`, [x, y, width, height].map(Math.round)];
}))"""


def test_nothing_moves_under_the_pointer_when_the_page_s_own_code_takes_over(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct = ann.direct(ben)
    ann.group(f"Trip {ann.username}", ben)
    ann.room(f"{ann.username}-room")
    ann.ok("POST", "/messages/send", send_body(direct, "hello"))
    ann.until_persisted(direct, 1)
    hers = arrive(ann, stack.url)
    hers.open(direct)
    expect(hers.page.get_by_text("Complete to #1")).to_be_visible()
    before = arrive(None, stack.url, java_script_enabled=False)  # as the server wrote it
    before.context.add_cookies(hers.context.cookies())  # type: ignore[arg-type]
    before.page.goto(hers.page.url)
    assert len(places := before.page.evaluate(PLACES)) > 10
    assert hers.page.evaluate(PLACES) == places


def test_a_key_is_heard_as_soon_as_the_page_lives(stack: Stack, people: tuple[Person, Person], arrive: Arrive) -> None:
    hers = arrive(people[0], stack.url)
    hers.page.add_init_script("""new MutationObserver(() => {
        if (!document.documentElement.dataset.live || window.isPressed) return;
        window.isPressed = true;
        dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true, bubbles: true, cancelable: true }));
    }).observe(document, { subtree: true, attributes: true });""")
    hers.page.reload()
    expect(hers.page.get_by_role("dialog", name="Go to")).to_be_visible()


def test_who_presses_enter_means_what_was_typed(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive, name: str
) -> None:
    ann, ben = people
    bea = Person(stack.url, f"{name}-bea")
    group = ann.group(f"Trip {name}", ben, bea)
    hers = arrive(ann, stack.url)
    hers.open(group)
    hers.composer.press_sequentially(f"@{name}-be")
    expect(hers.page.get_by_role("option")).to_have_count(2)
    hers.composer.evaluate("""(area) => {
        document.execCommand("insertText", false, "a");
        area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    }""")
    expect(hers.composer).to_have_value(f"@{bea.username} ")

    hers.page.keyboard.press("Control+k")
    expect(hers.page.get_by_role("option").first).to_be_visible()
    hers.page.get_by_label("Go to a conversation or a person").fill(ben.username)
    hers.page.keyboard.press("Enter")
    expect(hers.page.get_by_role("heading", name=ben.username)).to_be_visible()

    hers.page.get_by_role("button", name="New conversation").click()
    expect(hers.page.get_by_role("dialog").get_by_role("listitem").first).to_be_visible()
    hers.page.get_by_label("With whom?").fill(bea.username)
    hers.page.keyboard.press("Enter")
    expect(hers.page.get_by_role("heading", name=bea.username)).to_be_visible()
    bea.close()


def test_a_press_does_what_it_was_meant_for(stack: Stack, people: tuple[Person, Person], arrive: Arrive) -> None:
    ann, ben = people
    groups = [ann.group(f"{which} {ann.username}", ben) for which in ("First", "Second", "Third")]
    hers = arrive(ann, stack.url)
    hers.open(groups[0])
    line = hers.listed(f"Second {ann.username}")
    line.hover()
    hers.page.mouse.down()
    ben.ok("POST", "/messages/send", send_body(groups[2], "hello"))
    expect(hers.page).to_have_title(re.compile(r"^\(1\) "))  # another line would go up, and move this one
    hers.page.mouse.up()
    expect(hers.page).to_have_url(f"{stack.url}/chat/{groups[1]}")
    expect(hers.composer).to_be_visible()

    button = hers.page.get_by_role("button", name="Emoji", exact=True)
    button.click()
    expect(hers.page.get_by_role("dialog", name="Emoji")).to_be_visible()
    button.click()
    expect(hers.page.get_by_role("dialog", name="Emoji")).to_have_count(0)

    on_page(
        hers.page,
        f"""document.querySelector('[href="/chat/{groups[0]}"]').click();
        {AT_ONCE}
        document.querySelector('[aria-label="Details"]').click();""",
    )
    expect(hers.page.get_by_role("complementary", name="Details")).to_contain_text(f"First {ann.username}")
    hers.page.wait_for_function(
        "() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(true), 50)))"
    )
    expect(hers.page.get_by_role("complementary", name="Details")).to_be_visible()


def test_a_late_answer_takes_nothing_that_was_written_since(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct, group = ann.direct(ben), ann.group(f"Trip {ann.username}", ben)
    for words in ("one", "two"):
        ann.ok("POST", "/messages/send", send_body(direct, words))
    ann.until_persisted(direct, 2)
    hers = arrive(ann, stack.url)
    hers.open(direct)
    on_page(hers.page, "session.edit = () => new Promise((resolve) => (window.letCome = resolve));")
    field = hers.page.get_by_label("Edit message")
    hers.press("one", "Edit")
    field.fill("one more")
    field.press("Enter")
    hers.press("two", "Edit")
    field.fill("two more")
    hers.page.evaluate("letCome()")
    expect(field).to_have_value("two more")
    hers.page.reload()
    hers.wait_until_live()
    hers.press("two", "Edit")
    expect(field).to_have_value("two more")
    field.press("Escape")

    let_come = held(hers.page, "**/api/uploads")
    attach_a_file(hers)
    expect(hers.page.locator(".tray li.sending")).to_be_visible()
    hers.listed(f"Trip {ann.username}").click()
    expect(hers.page).to_have_url(f"{stack.url}/chat/{group}")
    let_come()
    hers.listed(ben.username).click()
    expect(hers.page.locator(".tray li.done")).to_contain_text("note.txt")

    on_page(hers.page, "session.outbox.send = async () => { throw new Error('No.'); };")
    hers.say("refused")
    hers.page.get_by_role("button", name="Take back").click()
    expect(hers.composer).to_have_value("refused")
    expect(hers.page.locator(".tray li.done")).to_contain_text("note.txt")
    hers.press("one", "More")
    hers.page.get_by_role("menuitem", name="Open the thread").click()
    reply = hers.page.get_by_label("Reply in the thread")
    reply.fill("refused too")
    reply.press("Enter")
    hers.page.get_by_role("complementary", name="Thread").get_by_role("button", name="Take back").click()
    expect(reply).to_have_value("refused too")


def attach_a_file(visitor: Visitor) -> None:
    """Paste a file into the field."""
    visitor.composer.evaluate("""(area) => {
        const files = new DataTransfer();
        files.items.add(new File(["words"], "note.txt", { type: "text/plain" }));
        area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: files, bubbles: true, cancelable: true }));
    }""")


def test_who_is_there_is_not_claimed_to_be_known_without_a_connection(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    direct = ann.direct(ben)
    ben.socket()
    hers = arrive(ann, stack.url)
    hers.open(direct)
    head = hers.page.locator(".conversation-head")
    expect(head).to_contain_text("Online")
    expect(hers.listed(ben.username).locator(".dot.online")).to_have_count(1)
    hers.cut_off()
    expect(head).to_contain_text("Online when last heard of")
    expect(hers.page.locator(".dot.online")).to_have_count(0)
    hers.come_back()
    expect(head).not_to_contain_text("when last heard of")
    expect(hers.listed(ben.username).locator(".dot.online")).to_have_count(1)
