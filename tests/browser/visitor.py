"""A person in front of a browser: what they do and see, and what went wrong on their page."""

from __future__ import annotations

import contextlib

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, TimeoutError as TooLate, expect

from tests.support.clients import PASSWORD, Person

OUTAGE = ("net::ERR_", "WebSocket connection to", "Failed to load resource")


class Visitor:
    """One browser; ``errors`` holds what its console complained of."""

    def __init__(self, context: BrowserContext, url: str, person: Person | None) -> None:
        self.context, self.url, self.person = context, url, person
        self.errors: list[str] = []
        self.may_be_cut_off = False
        self.page = self.new_page()

    def new_page(self) -> Page:
        """Open a tab and watch it."""
        page = self.context.new_page()
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", self._surprised)
        return page

    def _said(self, message: ConsoleMessage) -> None:
        is_outage = self.may_be_cut_off and any(word in message.text for word in OUTAGE)
        if message.type in ("error", "warning") and not is_outage:
            self.errors.append(message.text)

    def _surprised(self, dialog: object) -> None:
        self.errors.append("a script opened a dialog")
        dialog.dismiss()  # type: ignore[attr-defined]

    # getting there
    def sign_in(self) -> None:
        """Sign in by the form."""
        assert self.person is not None
        self.page.goto(f"{self.url}/login")
        self.page.fill("#identifier", self.person.username)
        self.page.fill("#password", PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.wait_until_live()

    def open(self, conversation_id: str) -> None:
        """Load a conversation's page."""
        self.page.goto(f"{self.url}/chat/{conversation_id}")
        self.wait_until_live()

    def wait_until_live(self) -> None:
        """Wait until the page's own code has taken over."""
        self.page.wait_for_selector("html[data-live]", state="attached")

    def cut_off(self) -> None:
        """Lose the network, and see that the page says so."""
        self.may_be_cut_off = True
        self.context.set_offline(True)
        expect(self.page.get_by_role("status").filter(has_text="No connection")).to_be_visible()

    def come_back(self) -> None:
        """Get the network again, and see that the page is content."""
        self.context.set_offline(False)
        expect(self.page.get_by_text("No connection")).to_have_count(0, timeout=20_000)

    # talking
    @property
    def composer(self) -> Locator:
        """The field to write in."""
        return self.page.get_by_label("Message", exact=True)

    def say(self, words: str) -> None:
        """Write and send."""
        self.composer.fill(words)
        self.composer.press("Enter")

    def message(self, words: str) -> Locator:
        """The message with these words."""
        return self.page.locator(".message").filter(
            has=self.page.locator(".message-text").get_by_text(words, exact=True)
        )

    def press(self, words: str, button: str) -> None:
        """Press one of a message's own buttons; a row that moved away from under the pointer is followed."""
        for _ in range(2):
            self.message(words).hover()
            with contextlib.suppress(TooLate):
                return self.message(words).get_by_role("button", name=button, exact=True).click(timeout=5_000)
        self.message(words).hover()
        return self.message(words).get_by_role("button", name=button, exact=True).click()

    # seeing
    def sees(self, *words: str, within_s: float = 10) -> None:
        """See exactly these messages, in this order (tombstones do not count)."""
        texts = self.page.locator(".message-text")
        expect(texts).to_have_text(list(words), timeout=within_s * 1000)

    def sees_tick(self, words: str) -> None:
        """See that a message of one's own is stored, at least."""
        ticks = self.message(words).locator(".tick:is(.persisted, .delivered, .read)")
        expect(ticks).to_be_visible(timeout=10_000)

    def listed(self, title: str) -> Locator:
        """A line of the conversation list."""
        return self.page.locator(".conversation-item").filter(has=self.page.get_by_text(title, exact=True))
