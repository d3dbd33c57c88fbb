"""A forgotten password: a letter, a link that works once, and the same answer for everybody who asks."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.domain import resets
from app.kernel import settings
from app.kernel.actor import Actor
from app.live import attempts
from tests.mail.conftest import World
from tests.support.clients import PASSWORD
from tests.support.postoffice import html_of, text_of

NEW = "quite another phrase 7"
LINK = re.compile(r"https://chat\.example\.org/reset#(rst_[\w.-]+)")


def call(world: World, path: str, body: dict[str, Any], **more: Any) -> TestResponse:
    return world.app.test_client().post(f"/api/auth/{path}", json=body, **more)


def asked(world: World, person: Actor) -> str:
    """Ask for a letter, and give the token in it."""
    world.later(seconds=1)
    before = len(world.mail_to(person))
    assert call(world, "forgot", {"identifier": person.username}).status_code == 200
    world.later(seconds=2)
    assert world.send() == 1
    found = LINK.search(text_of(world.mail_to(person)[before]))
    assert found is not None
    return found[1]


def signs_in(world: World, person: Actor, password: str) -> bool:
    return call(world, "login", {"identifier": person.username, "password": password}).status_code == 200


def test_a_letter_brings_a_link_that_sets_a_new_password_once(world: World) -> None:
    ann = world.person("Ann Ü")
    token = asked(world, ann)
    letter = world.mail_to(ann)[0]
    assert letter["Subject"] == "Choose a new password"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert f'href="https://chat.example.org/reset#{token}"' in html_of(letter)
    assert "List-Unsubscribe" not in letter
    assert call(world, "reset", {"token": token, "password": NEW}).status_code == 200
    assert not signs_in(world, ann, PASSWORD)
    assert signs_in(world, ann, NEW)
    again = call(world, "reset", {"token": token, "password": "yet another phrase 8"})
    assert (again.status_code, list(again.json["error"]["fields"])) == (422, ["token"])
    assert signs_in(world, ann, NEW)


def test_a_new_password_ends_every_session(world: World) -> None:
    ann = world.person()
    signed_in = call(world, "login", {"identifier": ann.username, "password": PASSWORD}).json["data"]
    client = world.app.test_client()
    bearer = {"Authorization": f"Bearer {signed_in['accessToken']}"}
    assert client.get("/api/me", headers=bearer).status_code == 200
    assert call(world, "reset", {"token": asked(world, ann), "password": NEW}).status_code == 200
    assert client.get("/api/me", headers=bearer).status_code == 401
    assert call(world, "refresh", {"refreshToken": signed_in["refreshToken"]}).status_code == 401


def test_nobody_learns_who_has_an_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resets, "ANSWER_S", 0.4)
    ann = world.person()
    answers, took = [], []
    for identifier in (ann.username, f"{ann.username}@example.org", "nobody-of-that-name", "nobody@example.org"):
        began = time.monotonic()
        answer = call(world, "forgot", {"identifier": identifier})
        took.append(time.monotonic() - began)
        answers.append((answer.status_code, answer.json["data"]))
    assert set(map(str, answers)) == {"(200, {'accepted': True})"}
    assert min(took) > 0.39, "each answer takes the same time: longer than the work"
    assert len(world.letters(ann)) == 2


def test_other_letters_links_end_with_the_password_they_were_for(world: World) -> None:
    ann = world.person()
    first, second = asked(world, ann), asked(world, ann)
    assert call(world, "reset", {"token": second, "password": NEW}).status_code == 200
    assert call(world, "reset", {"token": first, "password": "yet another phrase 8"}).status_code == 422


def test_a_link_is_worth_nothing_after_an_hour(world: World) -> None:
    ann = world.person()
    token = asked(world, ann)
    world.rows("UPDATE password_resets SET expires_at = now() WHERE profile_id = :id", id=ann.id)
    answer = call(world, "reset", {"token": token, "password": NEW})
    assert answer.json["error"]["fields"] == {
        "token": ["is wrong, was used, or is older than an hour; ask for a new one"]
    }
    assert signs_in(world, ann, PASSWORD)


@pytest.mark.parametrize(
    "spoil", [str.upper, lambda t: t[:-1], lambda t: t[:41] + "A" * 43, lambda t: "rst_" + t, lambda _: "é"]
)
def test_a_forged_token_is_refused(world: World, spoil: Any) -> None:
    ann = world.person()
    answer = call(world, "reset", {"token": spoil(asked(world, ann)), "password": NEW})
    assert (answer.status_code, list(answer.json["error"]["fields"])) == (422, ["token"])
    assert signs_in(world, ann, PASSWORD)


def test_a_poor_password_is_refused_and_the_link_stays_good(world: World) -> None:
    ann = world.person()
    token = asked(world, ann)
    for poor in ("1234567890", f"{ann.username}@example.org"):
        refused = call(world, "reset", {"token": token, "password": poor})
        assert (refused.status_code, list(refused.json["error"]["fields"])) == (422, ["password"])
    assert call(world, "reset", {"token": token, "password": NEW}).status_code == 200


def test_no_token_is_in_the_database(world: World) -> None:
    ann = world.person()
    secret = asked(world, ann).rpartition(".")[2]
    for table in ("letters", "password_resets"):
        assert all(secret not in str(row) for row in world.rows(f"SELECT {table}::text FROM {table}"))


def test_a_person_gets_three_letters_an_hour_whoever_asks(world: World) -> None:
    ann = world.person()
    for _ in range(5):
        assert call(world, "forgot", {"identifier": ann.username}).status_code == 200
    assert len(world.letters(ann)) == 3


def test_asking_and_guessing_are_limited(world: World) -> None:
    settings.use(replace(settings.settings(), rate_limits_enabled=True))
    here = {"environ_overrides": {"REMOTE_ADDR": "203.0.113.9"}}
    attempts.failed(["forgot:203.0.113.9"] * 5 + ["reset:203.0.113.9"] * 5)
    asked_too_often = call(world, "forgot", {"identifier": "whoever"}, **here)
    guessed_too_often = call(world, "reset", {"token": "rst_x", "password": NEW}, **here)
    assert (asked_too_often.status_code, guessed_too_often.status_code) == (429, 429)
    assert call(world, "forgot", {"identifier": "whoever"}).status_code == 200


def test_a_temporary_refusal_brings_the_same_link_later(world: World) -> None:
    ann = world.person()
    assert call(world, "forgot", {"identifier": ann.username}).status_code == 200
    world.later(seconds=1)
    world.office.answers = ["451 come back later"]
    assert (world.send(), world.letters(ann)) == (0, ["waiting"])
    assert world.send() == 0, "the pause is kept"
    world.later(minutes=2)
    assert (world.send(), world.letters(ann)) == (1, ["sent"])
    assert world.office.tries == 2


# the pages ------------------------------------------------------------------------------------------------------------
def test_the_pages_lead_from_forgetting_to_signing_in(world: World) -> None:
    ann = world.person()
    browser = world.app.test_client()
    assert 'href="/forgot"' in browser.get("/login").text
    assert "letter is on its way" in browser.post("/forgot", data={"identifier": ann.username}).text
    world.later(seconds=1)
    world.send()
    found = LINK.search(text_of(world.mail_to(ann)[0]))
    assert found is not None
    page = browser.get("/reset")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    wrong = browser.post("/reset", data={"token": found[1][:-1], "password": NEW})
    assert (wrong.status_code, "ask for a new one" in wrong.text) == (422, True)
    done = browser.post("/reset", data={"token": found[1], "password": NEW})
    assert (done.status_code, done.headers["Location"]) == (303, "/login?done=reset")
    assert "Your new password is set" in browser.get(done.headers["Location"]).text
    assert signs_in(world, ann, NEW)


def test_a_form_of_another_site_asks_for_no_letter(world: World) -> None:
    ann = world.person()
    headers = {"Sec-Fetch-Site": "cross-site"}
    refused = world.app.test_client().post("/forgot", data={"identifier": ann.username}, headers=headers)
    assert (refused.status_code, world.letters(ann)) == (403, [])
