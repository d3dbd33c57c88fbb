"""Hostile words stay words, and the page's policy holds."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.browser.hostile import OWASP
from tests.support.clients import Person, send_body
from tests.support.stack import Stack, until

pytestmark = pytest.mark.parametrize("mode", ["behind"], indirect=True)

DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "<svg/onload=alert(1)>",
    '"><iframe srcdoc="<script>alert(1)</script>">',
    "javascript:alert(1)",
    "<a href=javascript:alert(1)>press</a>",
    "{{7*7}} ${7*7} <%= 7*7 %>",
    "<!--<img src=--><img src=x onerror=alert(1)//>",
    "\u202egpj.exe <b>bold</b>",
)


def test_hostile_words_are_shown_as_words_in_messages_names_and_titles(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    ben.ok("PATCH", "/me", {"displayName": HOSTILE[1]})
    group = ben.group(HOSTILE[0], ann)
    device = ben.socket()
    for words in HOSTILE:
        device.ok("message:send", send_body(group, words))
    ben.until_persisted(group, len(HOSTILE))
    hers = arrive(ann, stack.url)
    hers.open(group)
    hers.sees(*HOSTILE)
    expect(hers.page.get_by_role("heading", name=HOSTILE[0])).to_be_visible()
    expect(hers.page.locator(".message-sender").first).to_have_text(HOSTILE[1])
    assert hers.page.locator(".message a, .message iframe, .message script, .message img").count() == 0
    for words in HOSTILE:
        hers.say(words)
    hers.sees(*HOSTILE, *HOSTILE)


def test_the_owasp_corpus_executes_nothing_wherever_it_stands(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    ben.ok("PATCH", "/me", {"displayName": "<img src=x onerror=alert(1)>"})
    group = ben.ok(
        "POST",
        "/conversations",
        {"kind": "group", "title": OWASP[3], "topic": OWASP[24], "members": [ann.username]},
    )["conversation"]["id"]
    device = ben.socket()
    named = ben.upload(b"x", "<img src=x onerror=alert(1)>.txt")
    device.ok("message:send", send_body(group, "a file", attachmentIds=[named["id"]]))
    for words in OWASP:
        device.ok("message:send", send_body(group, words))
    ben.until_persisted(group, len(OWASP) + 1)
    hers = arrive(ann, stack.url)
    hers.open(group)
    hers.page.get_by_role("log").evaluate("(log) => log.scrollTo(0, -log.scrollHeight)")
    expect(hers.page.locator(".message")).to_have_count(len(OWASP) + 1)
    made = hers.page.evaluate("""() => ({
        elements: document.querySelectorAll(
          ".timeline :is(script, iframe, object, embed, form, style, link, meta, template, video, svg animate)").length,
        handlers: [...document.querySelectorAll(".timeline *")].filter((one) =>
          [...one.attributes].some(({ name }) => name.startsWith("on"))).length,
        links: [...document.querySelectorAll(".timeline a")].map((one) => one.protocol),
      })""")
    assert made["elements"] == made["handlers"] == 0
    assert set(made["links"]) <= {"http:", "https:"}
    for link in hers.page.locator(".message-text a").all():
        link.hover()  # whatever waits for the pointer
    hers.page.get_by_role("button", name="Details").click()
    expect(hers.page.get_by_role("complementary", name="Details")).to_contain_text(OWASP[3])
    for keys, question in (("Control+k", "**/api/users?q=alert*"), ("Control+Shift+f", "**/api/search?q=alert*")):
        hers.page.keyboard.press(keys)
        expect(hers.page.get_by_role("dialog")).to_be_visible()
        with hers.page.expect_response(question):
            hers.page.keyboard.type("alert")
        hers.page.evaluate(DRAWN)  # what is found is shown
        hers.page.keyboard.press("Escape")
        expect(hers.page.get_by_role("dialog")).to_have_count(0)


def test_a_link_is_a_link_and_leads_away_without_telling_from_where(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, ben = people
    hers = arrive(ann, stack.url)
    hers.open(ann.direct(ben))
    hers.say("See https://example.org/a?b=1, please.")
    link = hers.page.get_by_role("link", name="https://example.org/a?b=1", exact=True)
    expect(link).to_have_attribute("href", "https://example.org/a?b=1")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")


def test_the_policy_stops_what_gets_past_everything_else(
    stack: Stack, people: tuple[Person, Person], arrive: Arrive
) -> None:
    ann, _ = people
    hers = arrive(ann, stack.url)
    tried = hers.page.evaluate("""async () => {
        const stopped = [];
        document.addEventListener("securitypolicyviolation", (event) => stopped.push(event.effectiveDirective));
        const style = document.createElement("style");
        style.textContent = "body { display: none }";
        document.head.append(style);
        try { document.body.innerHTML = "<img src=x onerror=alert(1)>"; } catch (error) { stopped.push(error.name); }
        await fetch("https://example.org/").catch(() => {});
        for (let wait = 0; wait < 200 && stopped.length < 3; wait += 1) await new Promise((done) => setTimeout(done, 50));
        return stopped;
    }""")
    assert "TypeError" in tried, "no string becomes HTML"
    assert "style-src-elem" in tried
    assert "connect-src" in tried
    said = ("TrustedHTML", "style-src", "connect-src")
    until(
        lambda: (hers.page.evaluate("1"), all(any(word in error for error in hers.errors) for word in said))[1],
        what="the browser says aloud what it stopped: this very check would miss an error otherwise",
    )
    assert all("Content Security Policy" in error or "TrustedHTML" in error for error in hers.errors), hers.errors
    hers.errors.clear()  # the browser says aloud what it stopped
