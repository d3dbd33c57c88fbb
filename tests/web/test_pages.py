"""The pages at the door: headers, forms, where they lead, what they carry."""

from __future__ import annotations

import json
import re

import pytest
import requests

from tests.support.clients import PASSWORD, Person, send_body
from tests.support.stack import Stack

pytestmark = pytest.mark.parametrize("mode", ["behind"], indirect=True)
TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)">')
STATE = re.compile(r'<script type="application/json" id="state"[^>]*>(.*?)</script>', re.DOTALL)
ENTRANCES = ("/login", "/register", "/forgot", "/reset")
POLICY_NONCE = re.compile(r"script-src 'self' 'nonce-([^']+)'")


def signed_in(stack: Stack, person: Person) -> requests.Session:
    """A browser's session, signed in by the form."""
    browser = requests.Session()
    answer = browser.post(f"{stack.url}/login", {"identifier": person.username, "password": PASSWORD})
    assert answer.url == f"{stack.url}/chat"
    return browser


def test_every_page_allows_its_own_files_and_nothing_inline(stack: Stack, name: str) -> None:
    browser = signed_in(stack, Person(stack.url, name))
    nonces = set()
    for path in (*ENTRANCES, "/chat", "/rooms", "/nowhere"):
        answer = (requests if path in ENTRANCES else browser).get(stack.url + path)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        nonce = POLICY_NONCE.search(policy)
        assert nonce is not None
        nonces.add(nonce[1])
        inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", answer.text)
        assert all(f'nonce="{nonce[1]}"' in attributes for attributes in inline)
        assert not re.search(r"\son\w+=|\sstyle=|<style", answer.text)
    assert len(nonces) == 7, "a nonce is used once"


def test_a_stranger_is_led_to_signing_in_and_from_there_to_where_they_wanted(stack: Stack, name: str) -> None:
    person = Person(stack.url, name)
    room = person.room(f"{name}-room")
    browser = requests.Session()
    asked = browser.get(f"{stack.url}/chat/{room}")
    assert asked.url == f"{stack.url}/login?next=/chat/{room}"
    entered = browser.post(asked.url, {"identifier": name, "password": PASSWORD})
    assert entered.url == f"{stack.url}/chat/{room}"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)"]
)
def test_signing_in_leads_to_no_other_site(stack: Stack, name: str, target: str) -> None:
    Person(stack.url, name)
    answer = requests.post(
        f"{stack.url}/login",
        {"identifier": name, "password": PASSWORD},
        params={"next": target},
        allow_redirects=False,
    )
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/chat"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(stack: Stack, name: str) -> None:
    Person(stack.url, name)
    answer = requests.post(f"{stack.url}/login", {"identifier": name, "password": PASSWORD}, allow_redirects=False)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_a_form_from_another_site_signs_nobody_in(stack: Stack, name: str, headers: dict[str, str]) -> None:
    Person(stack.url, name)
    body = {"identifier": name, "password": PASSWORD}
    answer = requests.post(f"{stack.url}/login", body, headers=headers, allow_redirects=False)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_signing_out_needs_the_token_of_the_page_and_ends_the_session(stack: Stack, name: str) -> None:
    browser = signed_in(stack, Person(stack.url, name))
    assert browser.post(f"{stack.url}/logout").status_code == 403
    token = TOKEN.search(browser.get(f"{stack.url}/chat").text)
    assert token is not None
    cookies = dict(browser.cookies)
    assert browser.post(f"{stack.url}/logout", {"csrf_token": token[1]}).url == f"{stack.url}/login"
    again = requests.get(f"{stack.url}/chat", cookies=cookies)
    assert again.url.startswith(f"{stack.url}/login"), "the old cookie is worth nothing"


def test_the_first_page_holds_the_conversation_and_where_a_live_client_starts(stack: Stack, name: str) -> None:
    person = Person(stack.url, name)
    group = person.group("A </script><b>title</b>")
    person.ok("POST", "/messages/send", send_body(group, "</script><script>alert(1)</script>"))
    person.until_persisted(group, 1)
    answer = signed_in(stack, person).get(f"{stack.url}/chat/{group}")
    assert "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text, "to be read before any script runs"
    held = STATE.search(answer.text)
    assert held is not None
    state = json.loads(held[1])
    assert state["current"]["page"]["items"][0]["content"] == "</script><script>alert(1)</script>"
    assert state["current"]["page"]["upToSeq"] == 1
    assert [one["id"] for one in state["conversations"]["items"]] == [group]


def test_what_is_not_mine_looks_like_what_is_not_there(stack: Stack, name: str) -> None:
    private = Person(stack.url, f"{name}a").group("mine alone")
    browser = signed_in(stack, Person(stack.url, f"{name}b"))
    theirs = browser.get(f"{stack.url}/chat/{private}")
    nowhere = browser.get(f"{stack.url}/chat/{'0' * 8}-0000-4000-8000-{'0' * 12}")
    assert theirs.status_code == nowhere.status_code == 404
    assert "There is nothing here" in theirs.text


def test_a_room_s_short_address_leads_to_it(stack: Stack, name: str) -> None:
    person = Person(stack.url, name)
    room = person.room(f"{name}-room")
    assert signed_in(stack, person).get(f"{stack.url}/chat/{name}-room").url == f"{stack.url}/chat/{room}"


def test_files_are_kept_for_ever_under_the_address_that_names_their_content(stack: Stack) -> None:
    page = requests.get(f"{stack.url}/login").text
    path = re.search(r'href="(/assets/[0-9a-f]{12}/css/base\.css)"', page)
    assert path is not None
    answer = requests.get(stack.url + path[1])
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"].startswith("text/css")
    assert answer.headers["Content-Encoding"] == "gzip"
    other = requests.get(f"{stack.url}/assets/000000000000/css/base.css")
    assert other.headers["Cache-Control"] == "no-store"
    assert requests.get(f"{stack.url}/assets/000000000000/../../config.py").status_code == 404
