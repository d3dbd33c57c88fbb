"""The pages beside the chat: who may see them, what their forms do, and what they never do."""

from __future__ import annotations

import re

import pytest
import requests

from tests.api.test_support import promote
from tests.support.clients import PASSWORD, Person
from tests.support.stack import Stack

pytestmark = pytest.mark.parametrize("mode", ["behind"], indirect=True)
TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)">')
LINK = re.compile(r"<code>([^<]+/portal#(ptk_[^<]+))</code>")


class Browser:
    """Somebody signed in by the form, who presses the buttons of pages."""

    def __init__(self, stack: Stack, person: Person, password: str = PASSWORD) -> None:
        self.url, self.cookies = stack.url, requests.Session()
        self.get("/login")
        answer = self.cookies.post(f"{self.url}/login", {"identifier": person.username, "password": password})
        assert answer.url == f"{self.url}/chat"

    def get(self, path: str) -> requests.Response:
        """Open a page."""
        return self.cookies.get(self.url + path)

    def post(self, path: str, page: str, **form: str) -> requests.Response:
        """Press a button of a page, with the word against forgery that the page holds."""
        token = TOKEN.search(self.get(page).text)
        assert token is not None
        return self.cookies.post(self.url + path, {**form, "csrf_token": token[1]})


@pytest.fixture
def ann(stack: Stack, name: str) -> Person:
    return Person(stack.url, f"{name}-ann")


@pytest.fixture
def boss(stack: Stack, name: str) -> Person:
    person = Person(stack.url, f"{name}-boss")
    promote(stack, person, "admin")
    return person


def test_staff_pages_are_for_staff_and_admin_pages_for_admins(stack: Stack, ann: Person, name: str) -> None:
    sam = Person(stack.url, f"{name}-sam")
    promote(stack, sam, "staff")
    member, staff = Browser(stack, ann), Browser(stack, sam)
    pages = ("/people", "/rooms", "/settings", "/support", "/support/customers", "/admin")
    assert [member.get(page).status_code for page in pages] == [200, 200, 200, 403, 403, 403]
    assert [staff.get(page).status_code for page in pages] == [200, 200, 200, 200, 200, 403]
    assert 'href="/support"' not in member.get("/people").text
    assert 'href="/admin"' not in staff.get("/people").text
    assert requests.get(f"{stack.url}/admin", allow_redirects=False).status_code == 302


@pytest.mark.parametrize(
    "path", ["/rooms", "/settings/profile", "/settings/password", "/settings/appearance", "/support/customers"]
)
def test_no_form_is_taken_without_the_word_of_its_page(stack: Stack, boss: Person, path: str) -> None:
    browser = Browser(stack, boss)
    assert browser.cookies.post(stack.url + path, {"displayName": "X"}).status_code == 403


def test_a_person_is_found_and_written_to(stack: Stack, ann: Person, name: str) -> None:
    ben = Person(stack.url, f"{name}-ben")
    browser = Browser(stack, ann)
    assert f"@{ben.username}" in browser.get(f"/people?q={ben.username}").text
    opened = browser.post(f"/people/{ben.username}/talk", "/people")
    assert opened.url == f"{stack.url}/chat/{ann.direct(ben)}"


def test_a_room_is_made_and_a_wrong_address_is_explained(stack: Stack, ann: Person, name: str) -> None:
    browser = Browser(stack, ann)
    made = browser.post("/rooms", "/rooms", title="Design <b>", slug=f"{name}-design", topic="", visibility="public")
    assert "/chat/" in made.url
    again = browser.post("/rooms", "/rooms", title="Other", slug=f"{name}-design", visibility="public")
    assert again.status_code == 409
    assert 'id="slug-problem"' in again.text
    assert 'value="Other"' in again.text, "what was typed is still there"


def test_the_name_changes_and_the_address_asks_for_the_password(stack: Stack, ann: Person) -> None:
    browser = Browser(stack, ann)
    held = f"{ann.username}@example.org"
    saved = browser.post("/settings/profile", "/settings", displayName="Ann <i>", email=held)
    assert saved.url.endswith("/settings?said=saved")
    assert "Ann &lt;i&gt;" in saved.text
    refused = browser.post("/settings/profile", "/settings", displayName="Ann", email="new@example.org")
    assert refused.status_code == 422
    assert "is required to change" in refused.text


def test_a_new_password_ends_the_other_sessions_and_stays_here(stack: Stack, ann: Person) -> None:
    here, there = Browser(stack, ann), Browser(stack, ann)
    wrong = here.post("/settings/password", "/settings", currentPassword="not it", password="a better word 42")
    assert wrong.status_code == 403
    right = here.post("/settings/password", "/settings", currentPassword=PASSWORD, password="a better word 42")
    assert right.url.endswith("/settings?said=password")
    assert there.get("/settings").url.endswith("/login?next=/settings")
    Browser(stack, ann, "a better word 42")


def test_a_session_is_ended_from_the_list(stack: Stack, ann: Person) -> None:
    here, there = Browser(stack, ann), Browser(stack, ann)
    ends = re.findall(r"/settings/sessions/[0-9a-f-]+/end", here.get("/settings").text)
    assert len(ends) == 2, "the other browser and the API session of the registration; not this one"
    for end in ends:
        assert here.post(end, "/settings").url.endswith("said=ended")
    assert there.get("/chat").url.startswith(f"{stack.url}/login")
    assert here.get("/chat").url == f"{stack.url}/chat"


def test_what_is_mailed_is_chosen_on_the_page(stack: Stack, ann: Person) -> None:
    browser = Browser(stack, ann)
    assert browser.post("/settings/mails", "/settings", email="mentions", delayMinutes="60").url.endswith("said=saved")
    assert ann.ok("GET", "/me/notifications")["notifications"] == {"email": "mentions", "delayMinutes": 60}
    assert browser.post("/settings/mails", "/settings", email="often", delayMinutes="60").status_code == 422


def test_an_address_puts_no_words_on_a_page(stack: Stack, ann: Person) -> None:
    assert "pwned" not in Browser(stack, ann).get("/settings?said=pwned").text


def test_staff_make_a_customer_and_a_link_whose_token_stands_behind_the_hash(
    stack: Stack, boss: Person, name: str
) -> None:
    browser = Browser(stack, boss)
    made = browser.post(
        "/support/customers", "/support/customers", displayName=f"Mia {name}", email=f"{name}@mia.example"
    )
    assert made.url.endswith("said=made")
    listed = browser.get(f"/support/customers?q={name}@mia.example").text
    action = re.search(r"/support/customers/[0-9a-f-]+/link", listed)
    assert action is not None
    shown = browser.post(action[0], "/support/customers").text
    link = LINK.search(shown)
    assert link is not None
    address, token = link[1], link[2]
    assert token not in address.partition("#")[0]
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{stack.url}/api/me", headers=headers).status_code == 200
    revoke = re.search(r"/support/links/[0-9a-f-]+/revoke", shown)
    assert revoke is not None
    browser.post(revoke[0], "/support/customers")
    assert requests.get(f"{stack.url}/api/me", headers=headers).status_code == 401


def test_a_support_conversation_is_taken_and_resolved_from_the_inbox(stack: Stack, boss: Person, name: str) -> None:
    made = boss.ok("POST", "/customers", {"displayName": f"Mia {name}"})["customer"]
    token = boss.ok("POST", f"/customers/{made['id']}/portal-tokens", {})["token"]
    opened = requests.post(
        f"{stack.url}/api/conversations", json={"kind": "support"}, headers={"Authorization": f"Bearer {token}"}
    ).json()["data"]["conversation"]["id"]
    browser = Browser(stack, boss)
    assert f"Mia {name}" in browser.get("/support").text
    browser.post(f"/support/{opened}", "/support", assigneeId=boss.id)
    browser.post(f"/support/{opened}", "/support", status="resolved")
    mine = browser.get(f"/support?status=resolved&assignee={boss.id}").text
    assert f"/chat/{opened}" in mine
    assert "Yours" in mine
    assert f"/chat/{opened}" not in browser.get("/support").text


def test_an_admin_gives_roles_and_closes_accounts_but_never_the_own(stack: Stack, boss: Person, ann: Person) -> None:
    browser, hers = Browser(stack, boss), Browser(stack, ann)
    person = f"/admin/people/{ann.id}"
    assert browser.post(f"{person}/role", "/admin", role="staff").url.endswith("said=role")
    assert hers.get("/support").status_code == 200
    assert browser.post(f"{person}/role", "/admin", role="emperor").status_code == 422
    assert browser.post(f"{person}/close", "/admin").url.endswith("said=disabled")
    assert hers.get("/support").url.startswith(f"{stack.url}/login")
    refused = requests.post(f"{stack.url}/login", {"identifier": ann.username, "password": PASSWORD})
    assert refused.status_code == 401
    browser.post(f"{person}/open", "/admin")
    Browser(stack, ann)
    assert browser.post(f"/admin/people/{boss.id}/role", "/admin", role="member").status_code == 409
    assert browser.post(f"/admin/people/{boss.id}/close", "/admin").status_code == 409


def test_an_admin_sees_public_rooms_and_nothing_private(stack: Stack, boss: Person, ann: Person, name: str) -> None:
    ann.room(f"{name}-open")
    ann.room(f"{name}-closed", visibility="private")
    ann.group(f"{name}-group")
    page = Browser(stack, boss).get("/admin").text
    assert f"{name}-open" in page
    assert f"{name}-closed" not in page
    assert f"{name}-group" not in page


def test_no_admin_form_is_taken_from_others(stack: Stack, boss: Person, ann: Person) -> None:
    hers = Browser(stack, ann)
    for path in (f"/admin/people/{boss.id}/close", f"/admin/people/{ann.id}/open"):
        assert hers.post(path, "/settings").status_code == 403
    assert hers.post(f"/admin/people/{ann.id}/role", "/settings", role="admin").status_code == 403
    assert hers.get("/admin").status_code == 403
