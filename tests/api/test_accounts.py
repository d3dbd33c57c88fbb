"""Accounts and sessions: rotation and reuse, revocation on every process, cookies with CSRF, guessing, profiles."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

import psycopg2
import pytest
import requests

from tests.support.clients import PASSWORD, Person, Rest, Socket, refused_connection, send_body
from tests.support.modes import one_mode
from tests.support.stack import Stack, until

pytestmark = one_mode


def tokens(rest: Rest, refresh_token: str) -> dict[str, Any]:
    return dict(rest.ok("POST", "/auth/refresh", {"refreshToken": refresh_token}))


def refused(rest: Rest, refresh_token: str) -> bool:
    status, error = rest.refused("POST", "/auth/refresh", {"refreshToken": refresh_token})
    return (status, error["code"]) == (401, "unauthenticated")


def aged(stack: Stack, person: Person, seconds: int) -> None:
    """Have a person's sessions be rotated so long ago."""
    superuser = stack.services["PARLEY_TEST_SUPERUSER_URL"].rpartition("/")[0] + f"/{stack.database}"
    connection = psycopg2.connect(superuser)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sessions SET rotated_at = rotated_at - make_interval(secs => %s) WHERE profile_id = %s",
            (seconds, person.id),
        )
        assert cursor.rowcount
    connection.close()


# registering and signing in -------------------------------------------------------------------------------------------
def test_registering_signs_in_and_says_who(stack: Stack, name: str) -> None:
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD, "displayName": " Ann \u2003"}
    response = Rest(stack.url).call("POST", "/auth/register", body)
    assert response.status_code == 201
    made = response.json()["data"]
    assert made["user"]["displayName"] == "Ann"
    assert made["user"]["role"] == "member"
    assert made["expiresIn"] == 900
    assert Rest(stack.url, made["accessToken"]).ok("GET", "/me")["user"] == made["user"]


@pytest.mark.parametrize("alter", [str.lower, str.upper])
def test_one_signs_in_by_username_or_email_whatever_the_case(stack: Stack, name: str, alter: Any) -> None:
    person = Person(stack.url, name)
    for identifier in (name, f"{name}@example.org"):
        found = Rest(stack.url).ok("POST", "/auth/login", {"identifier": alter(identifier), "password": PASSWORD})
        assert found["user"]["id"] == person.id


def test_a_username_is_taken_whatever_the_case(stack: Stack, name: str) -> None:
    Person(stack.url, name)
    body = {"username": name.upper(), "email": f"{name}2@example.org", "password": PASSWORD}
    status, error = Rest(stack.url).refused("POST", "/auth/register", body)
    assert (status, error["code"], error["fields"]) == (409, "conflict", {"username": ["is taken"]})


@pytest.mark.parametrize("password", ["1234567890", "Password123", "QWERTYUIOP", "1q2w3e4r5t"])
def test_a_commonly_used_password_is_refused(stack: Stack, name: str, password: str) -> None:
    body = {"username": name, "email": f"{name}@example.org", "password": password}
    status, error = Rest(stack.url).refused("POST", "/auth/register", body)
    assert (status, error["fields"]) == (422, {"password": ["is a commonly used password"]})


def test_ones_own_name_is_no_password(stack: Stack) -> None:
    name = "n" + uuid.uuid4().hex[:12]
    body = {"username": name, "email": f"{name}@example.org", "password": name.upper()}
    assert "password" in Rest(stack.url).refused("POST", "/auth/register", body)[1]["fields"]


def test_a_wrong_name_and_a_wrong_password_look_the_same(stack: Stack, name: str) -> None:
    Person(stack.url, name)
    rest = Rest(stack.url)
    wrong = [
        rest.refused("POST", "/auth/login", {"identifier": name, "password": "wrong password"}),
        rest.refused("POST", "/auth/login", {"identifier": f"{name}x", "password": "wrong password"}),
    ]
    for _, error in wrong:
        error.pop("requestId")
    assert wrong[0] == wrong[1]
    assert wrong[0][0] == 401


# refreshing -----------------------------------------------------------------------------------------------------------
def test_a_refresh_token_is_exchanged_for_the_next(stack: Stack, name: str) -> None:
    ann = Person(stack.url, name)
    first = tokens(ann, ann.refresh_token)
    assert first["refreshToken"] != ann.refresh_token
    second = tokens(Rest(stack.urls[1]), first["refreshToken"])
    assert Rest(stack.url, second["accessToken"]).ok("GET", "/me")["user"]["id"] == ann.id
    assert Rest(stack.url, ann.token).ok("GET", "/me")  # access tokens live until they expire


def test_the_old_token_again_gives_the_same_successor_while_that_is_unused(stack: Stack, name: str) -> None:
    ann = Person(stack.url, name)
    first = tokens(ann, ann.refresh_token)
    for url in stack.urls:
        assert tokens(Rest(url), ann.refresh_token)["refreshToken"] == first["refreshToken"]
    assert tokens(ann, first["refreshToken"])["refreshToken"] != first["refreshToken"]


def test_the_old_token_after_its_successor_was_used_ends_the_family(stack: Stack, name: str) -> None:
    ann = Person(stack.url, name)
    first = tokens(ann, ann.refresh_token)
    second = tokens(ann, first["refreshToken"])
    assert ann.ok("GET", "/me")
    assert refused(ann, ann.refresh_token)
    assert refused(ann, second["refreshToken"])  # the newest is ended too
    assert ann.refused("GET", "/me")[0] == 401


def test_the_old_token_after_half_a_minute_ends_the_family(stack: Stack, name: str) -> None:
    ann = Person(stack.url, name)
    first = tokens(ann, ann.refresh_token)
    aged(stack, ann, 25)
    assert tokens(ann, ann.refresh_token)["refreshToken"] == first["refreshToken"]
    aged(stack, ann, 6)
    assert refused(ann, ann.refresh_token)
    assert refused(ann, first["refreshToken"])


def test_a_forged_refresh_token_ends_nothing(stack: Stack, name: str) -> None:
    ann = Person(stack.url, name)
    head, number, seal = ann.refresh_token.split(".")
    for forged in (
        "x",
        "rt_",
        f"{head}.{number}",
        f"{head}.{number}.{seal[:-3]}AAA",
        f"{head}.7.{seal}",
        f"{head}.-1.{seal}",
    ):
        assert refused(ann, forged)
    assert tokens(ann, ann.refresh_token)


# ending ---------------------------------------------------------------------------------------------------------------
def test_a_logout_works_at_once_here_and_within_a_second_there_with_its_sockets(stack: Stack, name: str) -> None:
    ann = Person(stack.url, name)
    there = ann.at(stack.urls[1])
    sockets = [ann.socket(url) for url in stack.urls]
    other = Rest(stack.url).ok("POST", "/auth/login", {"identifier": name, "password": PASSWORD})
    kept = Socket(stack.urls[1], {"token": other["accessToken"]})
    assert there.ok("GET", "/me")
    ann.ok("POST", "/auth/logout")
    ended = time.monotonic()
    assert ann.refused("GET", "/me")[0] == 401
    until(lambda: there.call("GET", "/me").status_code == 401, within_s=5, what="the other process to know")
    took = time.monotonic() - ended
    until(lambda: not any(device.client.connected for device in sockets), within_s=5, what="the sockets to be cut")
    assert took < 1.5, took
    assert refused_connection(stack.urls[1], {"token": ann.token})["code"] == "unauthenticated"
    assert refused(ann, ann.refresh_token)
    assert kept.client.connected
    assert kept.ok("presence", {"status": "online"})
    kept.close()


def test_a_logout_may_name_a_refresh_token_and_ends_its_session_if_it_is_ones_own(stack: Stack, name: str) -> None:
    ann, ben = Person(stack.url, f"{name}-ann"), Person(stack.url, f"{name}-ben")
    logins = [
        Rest(stack.url).ok("POST", "/auth/login", {"identifier": ann.username, "password": PASSWORD}) for _ in "12"
    ]
    phone, tablet = (Rest(stack.url, login["accessToken"]) for login in logins)
    for nothing in (ben.refresh_token, "rt_made-up", "made-up", None):
        here = Rest(stack.url).ok("POST", "/auth/login", {"identifier": ann.username, "password": PASSWORD})
        Rest(stack.url, here["accessToken"]).ok("POST", "/auth/logout", {"refreshToken": nothing})
    assert ben.ok("GET", "/me")
    assert phone.refused("POST", "/auth/logout", {"refreshToken": 5})[0] == 422
    phone.ok("POST", "/auth/logout", {"refreshToken": logins[0]["refreshToken"]})
    assert phone.refused("GET", "/me")[0] == 401
    assert tablet.ok("GET", "/me")
    ann.ok("POST", "/auth/logout", {"refreshToken": logins[1]["refreshToken"]})
    assert [each.refused("GET", "/me")[0] for each in (ann, tablet)] == [401, 401]


def test_sessions_are_listed_and_ended_one_by_one(stack: Stack, name: str) -> None:
    ann = Person(stack.url, name)
    other = Rest(stack.url)
    other.token = other.ok("POST", "/auth/login", {"identifier": name, "password": PASSWORD})["accessToken"]
    mine = {item["current"]: item for item in ann.ok("GET", "/sessions")["items"]}
    assert set(mine) == {True, False}
    assert set(mine[True]) == {"id", "kind", "createdAt", "lastUsedAt", "expiresAt", "userAgent", "address", "current"}
    device = Socket(stack.urls[1], {"token": other.token})
    for _ in range(2):  # a second time is the same
        assert ann.ok("DELETE", f"/sessions/{mine[False]['id']}") == {"ended": mine[False]["id"]}
    assert other.refused("GET", "/me")[0] == 401
    until(lambda: not device.client.connected, what="its socket to be cut")
    assert [item["current"] for item in ann.ok("GET", "/sessions")["items"]] == [True]
    assert ann.refused("DELETE", f"/sessions/{uuid.uuid4()}")[0] == 404


# oneself --------------------------------------------------------------------------------------------------------------
def test_a_new_password_needs_the_old_one_and_ends_the_other_sessions(stack: Stack, name: str) -> None:
    ann = Person(stack.url, name)
    other = Rest(stack.url)
    other.token = other.ok("POST", "/auth/login", {"identifier": name, "password": PASSWORD})["accessToken"]
    new = "another long one 7"
    assert ann.refused("PATCH", "/me", {"password": new})[1]["fields"].keys() == {"currentPassword"}
    assert ann.refused("PATCH", "/me", {"password": new, "currentPassword": "wrong"})[0] == 403
    assert ann.refused("PATCH", "/me", {"password": "1234567890", "currentPassword": PASSWORD})[0] == 422
    ann.ok("PATCH", "/me", {"password": new, "currentPassword": PASSWORD})
    assert ann.ok("GET", "/me")
    assert other.refused("GET", "/me")[0] == 401
    assert other.call("POST", "/auth/login", {"identifier": name, "password": PASSWORD}).status_code == 401
    assert other.ok("POST", "/auth/login", {"identifier": name, "password": new})


def test_a_new_name_is_shown_on_the_next_message(stack: Stack, name: str) -> None:
    ann, ben = Person(stack.url, f"{name}a"), Person(stack.url, f"{name}b")
    direct = ann.direct(ben)
    assert ann.ok("PATCH", "/me", {"displayName": "  Ann Other "})["user"]["displayName"] == "Ann Other"
    assert ann.ok("POST", "/messages/send", send_body(direct, "hi"))["message"]["sender"]["displayName"] == "Ann Other"
    taken = {"email": f"{name}b@EXAMPLE.org", "currentPassword": PASSWORD}
    assert ann.refused("PATCH", "/me", taken)[1]["fields"] == {"email": ["is taken"]}
    assert ann.ok("PATCH", "/me", {})["user"]["displayName"] == "Ann Other"


# cookies --------------------------------------------------------------------------------------------------------------
def page_session(stack: Stack, person: Person) -> tuple[requests.Session, str]:
    """Sign in on a page; gives (the browser's session, the page's CSRF token)."""
    browser = requests.Session()
    form = {"identifier": person.username, "password": PASSWORD}
    shown = browser.post(f"{stack.url}/login", data=form, timeout=20)
    assert shown.status_code == 200
    found = re.search(r'<meta name="csrf-token" content="([^"]+)">', shown.text)
    assert found, shown.text[:500]
    return browser, found[1]


def test_a_cookie_changes_nothing_without_its_csrf_token(stack: Stack, name: str) -> None:
    ann, ben = Person(stack.url, f"{name}a"), Person(stack.url, f"{name}b")
    browser, csrf = page_session(stack, ann)
    theirs = page_session(stack, ben)[1]
    url = f"{stack.url}/api/me"
    assert browser.get(url, timeout=20).json()["data"]["user"]["id"] == ann.id
    for token in (None, "", "x", theirs):
        headers = {"X-CSRF-Token": token} if token is not None else {}
        for method in ("PATCH", "DELETE", "POST", "PUT"):
            path = {"PATCH": "/me", "DELETE": f"/sessions/{uuid.uuid4()}", "POST": "/auth/logout"}.get(
                method, f"/conversations/{uuid.uuid4()}/settings"
            )
            answer = browser.request(method, f"{stack.url}/api{path}", json={}, headers=headers, timeout=20)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden"), (method, token)
    changed = browser.patch(url, json={"displayName": "By page"}, headers={"X-CSRF-Token": csrf}, timeout=20)
    assert changed.json()["data"]["user"]["displayName"] == "By page"


def test_a_cookie_opens_a_socket_only_with_its_csrf_token(stack: Stack, name: str) -> None:
    ann = Person(stack.url, name)
    browser, csrf = page_session(stack, ann)
    headers = {"Cookie": f"parley_session={browser.cookies['parley_session']}"}
    for auth in (None, {}, {"csrfToken": "x"}, {"csrfToken": 7}, {"csrfToken": "\ud800"}):
        assert refused_connection(stack.url, auth, headers=headers)["code"] == "unauthenticated"
    device = Socket(stack.url, {"csrfToken": csrf}, headers=headers)
    assert device.ready["actor"]["id"] == ann.id
    out = browser.post(f"{stack.url}/api/auth/logout", headers={"X-CSRF-Token": csrf}, timeout=20)
    assert out.status_code == 200
    until(lambda: not device.client.connected, what="the page's socket to be cut")
    assert browser.get(f"{stack.url}/api/me", timeout=20).status_code == 401


def test_the_cookie_is_opaque_and_kept_from_scripts_and_other_sites(stack: Stack, name: str) -> None:
    person = Person(stack.url, name)
    form = {"identifier": person.username, "password": PASSWORD}
    answer = requests.post(f"{stack.url}/login", data=form, timeout=20, allow_redirects=False)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    value = cookie.split("=", 1)[1].split(";")[0]
    assert Rest(stack.url, value).refused("GET", "/me")[0] == 401  # no bearer token
    for forged in (value[:-4] + "AAAA", value.split(".")[0] + ".", "x", str(uuid.uuid4()), "\xe9"):
        headers = {"Cookie": f"parley_session={forged}".encode("latin-1")}
        assert requests.get(f"{stack.url}/api/me", headers=headers, timeout=20).status_code == 401
