"""Take a picture of every page and state, light, dark and on a phone, into docs/screenshots: `make screenshots`.

Starts Parley as `make run` does, in a folder that is thrown away, and has the demo's people use it.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs/screenshots"
DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 1.5}
KINDS: dict[str, dict[str, Any]] = {
    "light": {**DESK, "color_scheme": "light"},
    "dark": {**DESK, "color_scheme": "dark"},
    "phone": {**PHONE, "color_scheme": "light"},
}
LOCALE = {"locale": "en-GB", "timezone_id": "Europe/Paris"}
Shoot = Callable[[str], None]


@contextmanager
def parley() -> Iterator[str]:
    """Run a whole Parley of our own and give its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="parley-pictures-"))
    environ = os.environ | {"CHAT_INSTANCE_PATH": str(folder), "PORT": str(port), "RATE_LIMITS_ENABLED": "false"}
    command = [sys.executable, "-m", "embedded", "run"]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: requests.get(f"{url}/readyz", timeout=2).ok, within_s=120)
        yield url
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def wait_until(condition: Callable[[], object], *, within_s: float) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except requests.RequestException:
            pass
        time.sleep(0.25)
    raise SystemExit(f"not so within {within_s} s")


class Person:
    """Somebody of the demo, at the REST door."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self.session = f"{url}/api", requests.Session()
        login = {"identifier": name, "password": f"{name}-demo-password"}
        self.session.headers["Authorization"] = f"Bearer {self.ask('POST', '/auth/login', login)['accessToken']}"

    def ask(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        """Call and give the data of the answer."""
        answer = self.session.request(method, self.url + path, json=body, timeout=10, **more).json()
        if not answer["success"]:
            raise SystemExit(f"{method} {path}: {answer['error']}")
        return answer["data"]


def furnish(url: str) -> dict[str, str]:
    """Have the demo's people answer, react, edit and attach; gives addresses."""
    people = {name: Person(url, name) for name in ("alice", "bob", "carol", "dave", "admin")}
    alice, bob, carol, dave = (people[name] for name in ("alice", "bob", "carol", "dave"))
    room = alice.ask("GET", "/conversations/engineering")["conversation"]["id"]
    # The demo itself has nine words of today; they must be committed before they can be answered.
    wait_until(lambda: len(alice.ask("GET", f"/conversations/{room}/messages")["items"]) >= 11, within_s=30)
    said = {one["content"][:8]: one["id"] for one in alice.ask("GET", f"/conversations/{room}/messages")["items"]}
    code, thanks, cost = said["The whol"], said["Then it "], said["Like thi"]
    for person, message, emoji in (
        (alice, code, "👍"), (bob, code, "👍"), (dave, code, "🚀"), (carol, thanks, "❤️"), (bob, cost, "👀"),
    ):  # fmt: skip
        person.ask("PUT", f"/messages/{message}/reactions/{emoji}")
    for person, words in ((dave, "Nine lines. I had expected ninety."), (alice, "What happens if whoever has the turn dies?"),
                          (carol, "The lock goes with the connection, and the next one takes the same batch.")):  # fmt: skip
        person.ask("POST", "/messages/send", {"roomId": room, "content": words, "replyToId": code})
    group = alice.ask(
        "POST", "/conversations", {"kind": "group", "title": "Lisbon in May", "members": ["carol", "dave"]}
    )
    trip = group["conversation"]["id"]
    upload = dave.ask("POST", "/uploads", files={"file": ("Alfama at dusk.png", picture(), "image/png")})["upload"]
    plan = carol.ask(
        "POST", "/uploads", files={"file": ("plan.txt", b"Thu: tram 28\nFri: the sea\n" * 40, "text/plain")}
    )
    for person, words, files in (
        (dave, "From the window of the flat:", [upload["id"]]),
        (carol, "And here is the plan, at last.", [plan["upload"]["id"]]),
        (alice, "I want to be there **now**. Trains on Friday, then?", []),
    ):
        person.ask("POST", "/messages/send", {"conversationId": trip, "content": words, "attachmentIds": files})
    first = alice.ask("POST", "/messages/send", {"conversationId": trip, "content": "I book the trian today."})[
        "message"
    ]["id"]
    wait_until(lambda: alice.ask("GET", f"/messages/{first}")["message"]["persisted"], within_s=20)
    alice.ask("PATCH", f"/messages/{first}", {"content": "I book the train today."})
    empty = bob.ask("POST", "/conversations", {"kind": "group", "title": "Quiet corner", "members": ["alice"]})
    customer = people["admin"].ask("GET", "/customers")["items"][0]["id"]
    token = people["admin"].ask("POST", f"/customers/{customer}/portal-tokens", {})["token"]
    return {"room": room, "trip": trip, "empty": empty["conversation"]["id"], "token": token}


def picture() -> bytes:
    """Draw an evening over roofs."""
    image = Image.new("RGB", (960, 640))
    draw = ImageDraw.Draw(image)
    for y in range(640):
        part = y / 640
        draw.line([(0, y), (960, y)], fill=(int(250 - 90 * part), int(170 - 60 * part), int(120 + 50 * part)))
    draw.ellipse([610, 210, 720, 320], fill=(255, 226, 170))
    for number in range(14):
        left, top = number * 72 - 20, 380 + (number * 53) % 120
        draw.polygon([(left, top), (left + 48, top - 46), (left + 96, top)], fill=(150 - number * 4, 66, 52))
        draw.rectangle([left + 4, top, left + 92, 640], fill=(226 - number * 5, 206 - number * 5, 190 - number * 3))
        for row in range(3):
            draw.rectangle([left + 24, top + 26 + row * 60, left + 42, top + 54 + row * 60], fill=(92, 74, 92))
    body = io.BytesIO()
    image.save(body, "PNG")
    return body.getvalue()


def seat(browser: Browser, url: str, name: str | None, kind: str) -> Page:
    """Open a browser, signed in."""
    page = browser.new_context(**KINDS[kind], **LOCALE).new_page()
    if name:
        page.goto(f"{url}/login")
        page.fill("#identifier", name)
        page.fill("#password", f"{name}-demo-password")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("html[data-live]", state="attached")
    return page


def shooter(page: Page, kind: str) -> Shoot:
    """Give what takes a picture of a page as it is now."""

    def shoot(name: str) -> None:
        page.wait_for_timeout(500)
        body = io.BytesIO(page.screenshot(animations="disabled"))
        Image.open(body).convert("RGB").save(FOLDER / f"{name}-{kind}.webp", quality=72, method=6)

    return shoot


def open_at(page: Page, url: str) -> None:
    """Go to a chat page and wait until it lives and is connected."""
    page.goto(url)
    page.wait_for_selector("html[data-live]", state="attached")
    page.wait_for_selector(".status-line", timeout=10_000)


def talk(browser: Browser, url: str, places: dict[str, str], kind: str) -> None:
    """The chat, and what opens in it."""
    bob = seat(browser, url, "bob", "light")
    open_at(bob, f"{url}/chat/{places['room']}")
    page = seat(browser, url, "alice", kind)
    shoot = shooter(page, kind)
    if kind == "phone":
        page.goto(f"{url}/chat")
        shoot("list")
    open_at(page, f"{url}/chat/{places['empty']}")
    shoot("empty")
    open_at(page, f"{url}/chat/{places['trip']}")
    shoot("pictures")
    page.get_by_role("button", name="edited").click()
    shoot("edited")
    page.keyboard.press("Escape")
    open_at(page, f"{url}/chat/{places['room']}")
    bob.get_by_label("Message", exact=True).press_sequentially("Shall we", delay=60)
    shoot("chat")
    page.get_by_label("Message", exact=True).press_sequentially("Thanks @ca")
    shoot("completion")
    page.get_by_label("Message", exact=True).fill("")
    page.locator(".tick").last.click()
    shoot("passport")
    page.keyboard.press("Escape")
    page.locator(".message").nth(-2).focus()
    page.locator(".message").nth(-2).get_by_role("button", name="React", exact=True).dispatch_event("click")
    shoot("picker")
    page.keyboard.press("Escape")
    for keys, name, words in (("Control+k", "switcher", "e"), ("Control+Shift+F", "search", "commit")):
        page.keyboard.press(keys)
        page.keyboard.type(words)
        page.wait_for_timeout(500)
        shoot(name)
        page.keyboard.press("Escape")
    panels(page, shoot)
    without_network(page, shoot)
    page.context.close()
    bob.context.close()


def panels(page: Page, shoot: Shoot) -> None:
    """What opens beside and over a conversation."""
    page.locator(".timeline").focus()
    page.keyboard.press("?")
    shoot("shortcuts")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="replies").first.dispatch_event("click")
    shoot("thread")
    page.get_by_role("complementary", name="Thread").get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Details", exact=True).click()
    shoot("details")
    page.get_by_role("complementary", name="Details").get_by_role("button", name="Close").click()


def without_network(page: Page, shoot: Shoot) -> None:
    """What waits; the page is closed before it could be sent, so that the next begins as this one did."""
    page.context.set_offline(True)
    for words in ("Written in a tunnel,", "and kept on this device until it is over."):
        page.get_by_label("Message", exact=True).fill(words)
        page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_timeout(1500)
    shoot("offline")


def pages(browser: Browser, url: str, places: dict[str, str], kind: str) -> None:
    """All other pages."""
    for name, path in (
        ("login", "/login"),
        ("register", "/register"),
        ("forgot", "/forgot"),
        ("portal", f"/portal#{places['token']}"),
    ):
        page = seat(browser, url, None, kind)
        page.goto(url + path)
        if name == "portal":
            page.wait_for_selector("html[data-live]", state="attached")
        shooter(page, kind)(name)
        page.context.close()
    page = seat(browser, url, "alice", kind)
    page.route("**/messages?*", lambda _: None)  # never answered
    page.locator(".conversation-item", has_text="Random").first.click()
    shooter(page, kind)("loading")
    page.context.close()
    for person, paths in {
        "alice": ("rooms", "people", "settings", "nowhere", "api/docs"),
        "carol": ("support", "support/customers"),
        "admin": ("admin",),
    }.items():
        page = seat(browser, url, person, kind)
        for path in paths:
            page.goto(f"{url}/{path}")
            shooter(page, kind)(path.replace("/", "-"))
        page.context.close()


def main() -> None:
    """Take them all anew."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise SystemExit("There is no Chromium here: install the package chromium.")
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    with parley() as url, sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        places = furnish(url)
        for kind in KINDS:
            talk(browser, url, places, kind)
            pages(browser, url, places, kind)
        browser.close()
    taken = sorted(FOLDER.iterdir())
    sys.stdout.write(f"{len(taken)} pictures, {sum(one.stat().st_size for one in taken) // 1000} KB, in {FOLDER}\n")


if __name__ == "__main__":
    main()
