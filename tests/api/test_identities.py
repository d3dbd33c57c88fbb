"""A customer whom another site vouches for: its signed identity becomes a portal token, and nothing else does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.stack import environment, fresh_database
from tests.support.wired import environ_for, inside

SECRET = "the-site-and-parley-share-this-0123456789"
PATH = "/api/customers/identify"


def served(services: dict[str, str], template: str, **more: str) -> Any:
    known = environment(services, fresh_database(services, template))
    return inside(environ_for(known["DATABASE_URL"], known["DATABASE_OWNER_URL"], **more))


@pytest.fixture(scope="module")
def client(services: dict[str, str], template: str) -> Iterator[FlaskClient]:
    with served(services, template, CHAT_EMBED_SECRET=SECRET) as app:
        yield app.test_client()


def signed(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    return jwt.encode({"externalId": "shop-7", "exp": int(time.time()) + 300, **claims}, secret, algorithm=algorithm)


def came_to(client: FlaskClient, identity: Any) -> str:
    answer = client.post(PATH, json={"identity": identity})
    return "ok" if answer.status_code < 300 else str(answer.get_json()["error"]["code"])


def test_a_signed_identity_becomes_a_customer_with_a_token(client: FlaskClient) -> None:
    first = client.post(PATH, json={"identity": signed(displayName="Cleo", email="cleo@example.org")})
    assert first.status_code == 201
    data = first.get_json()["data"]
    assert (data["customer"]["externalId"], data["customer"]["displayName"]) == ("shop-7", "Cleo")
    again = client.post(PATH, json={"identity": signed(displayName="Cleopatra")})
    assert again.status_code == 200
    renamed = again.get_json()["data"]
    assert renamed["customer"] == {**data["customer"], "displayName": "Cleopatra"}
    assert renamed["token"] != data["token"]
    headers = {"Authorization": f"Bearer {renamed['token']}"}
    sent = client.post("/api/messages/send", json={"content": "Where is my parcel?"}, headers=headers)
    assert sent.get_json()["data"]["message"]["senderId"] == data["customer"]["id"]
    assert came_to(client, signed(externalId="shop-8")) == "ok"
    assert client.get("/api/me", headers=headers).get_json()["data"]["customer"]["id"] == data["customer"]["id"]


@pytest.mark.parametrize(
    ("identity", "code"),
    [
        (lambda: signed("another-secret-of-the-same-length-012345"), "unauthenticated"),
        (lambda: signed(exp=int(time.time()) - 60), "unauthenticated"),
        (lambda: jwt.encode({"externalId": "shop-7"}, SECRET, algorithm="HS256"), "unauthenticated"),
        (lambda: jwt.encode({"externalId": "shop-7", "exp": int(time.time()) + 300}, None, "none"), "unauthenticated"),
        (lambda: signed()[:-2] + "xx", "unauthenticated"),
        (lambda: "nonsense", "unauthenticated"),
        (lambda: signed(exp=int(time.time()) + 3 * 86_400), "invalid"),
        (lambda: signed(externalId=""), "invalid"),
        (lambda: signed(externalId=7), "invalid"),
        (lambda: signed(email="nowhere"), "invalid"),
        (lambda: 7, "invalid"),
    ],
)
def test_what_is_not_signed_timely_and_whole_is_refused(client: FlaskClient, identity: Any, code: str) -> None:
    assert came_to(client, signed()) == "ok"
    assert came_to(client, identity()) == code


def test_without_a_secret_the_call_does_not_exist(services: dict[str, str], template: str) -> None:
    with served(services, template) as app:
        assert isinstance(app, Flask)
        assert came_to(app.test_client(), signed()) == "not_found"
