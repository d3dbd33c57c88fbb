"""Refusals in acks: the same codes and fields as over REST; any payload is acked and leaves the socket usable."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from app.sockets.events import EVENTS
from tests.support.clients import Person, refused_connection, send_body
from tests.support.modes import one_mode
from tests.support.payloads import anything, bodies_for, words
from tests.support.stack import Stack, until

pytestmark = one_mode
NOBODY = str(uuid.uuid4())
CODES = {
    "malformed": False, "unauthenticated": False, "forbidden": False, "not_found": False, "conflict": False,
    "out_of_order": True, "too_large": False, "invalid": False, "rate_limited": True, "unavailable": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def people(stack: Stack) -> Iterator[dict[str, Any]]:
    word = "s" + uuid.uuid4().hex[:10]
    ann, ben, cat = (Person(stack.url, f"{word}{who}") for who in ("ann", "ben", "cat"))
    group = ann.group("Ours", ben)
    sent = ann.ok("POST", "/messages/send", send_body(group, "hello"))["message"]["id"]
    ann.until_persisted(group, 1)
    devices = {"ann": ann.socket(), "ben": ben.socket(), "cat": cat.socket()}
    yield {**devices, "group": group, "message": sent, "people": {"ann": ann, "ben": ben, "cat": cat}}
    for person in (ann, ben, cat):
        person.close()


def error_of(ack: Any, code: str | None = None) -> dict[str, Any]:
    """Check a refusal's shape and give its error."""
    assert set(ack) == {"ok", "error"}, ack
    assert ack["ok"] is False
    error: dict[str, Any] = ack["error"]
    assert {"code", "message", "temporary"} <= set(error) <= {"code", "message", "temporary", "fields", "retryAfter"}
    assert error["temporary"] is CODES[error["code"]]
    assert error["message"]
    assert error["code"] != "invalid" or error["fields"]
    assert code in (None, error["code"]), error
    return error


# connecting -----------------------------------------------------------------------------------------------------------
NO_CREDENTIALS: list[Any] = [
    None, {}, [], "x", {"token": ""}, {"token": 7}, {"token": "x.y.z"}, {"token": "\ud800"}, {"csrfToken": "x"},
]  # fmt: skip


@pytest.mark.parametrize("auth", NO_CREDENTIALS)
def test_without_a_valid_credential_the_connection_is_refused(stack: Stack, auth: Any) -> None:
    refusal = refused_connection(stack.url, auth)
    assert refusal["code"] == "unauthenticated"
    assert refusal["data"]["code"] == "unauthenticated"


@pytest.mark.parametrize("event", ["connect", "disconnect"])
def test_a_clients_word_for_a_connect_or_disconnect_changes_nothing(stack: Stack, name: str, event: str) -> None:
    ann, ben = Person(stack.url, f"{name}a"), Person(stack.url, f"{name}b")
    group = ann.group("Ours", ben)
    his = ben.socket()
    error_of(his.ask(event, {"HTTP_COOKIE": "", "token": ann.token}), "not_found")
    assert his.ok("sync", {"conversationId": group, "after": 0})["conversationId"] == group
    ann.ok("POST", "/messages/send", send_body(group, "heard"))
    his.next("message", lambda m: m["content"] == "heard")
    ben.ok("POST", "/auth/logout")
    until(lambda: not his.client.connected, what="the logged-out socket to be cut")
    ann.close()


# events ---------------------------------------------------------------------------------------------------------------
def test_an_unknown_event_is_acked_as_not_found(people: dict[str, Any]) -> None:
    for event in ("nonesuch", "ready", "message", "", "message:Send"):
        error_of(people["ann"].ask(event, {}), "not_found")


@pytest.mark.parametrize("event", list(EVENTS))
def test_an_unknown_field_or_no_object_is_invalid(people: dict[str, Any], event: str) -> None:
    assert error_of(people["ann"].ask(event, {"nonesuch": 1}), "invalid")["fields"]["nonesuch"] == [
        "is not a known field"
    ]
    for odd in ([], "x", 7, True, [{}], b"bytes", None):
        fields = error_of(people["ann"].ask(event, odd), "invalid")["fields"]
        assert odd is None or fields == {"body": ["must be an object"]}
    two = people["ann"].client.call(event, ({}, {}), timeout=20)
    assert error_of(two, "invalid")["fields"] == {"body": ["must be one object"]}


@pytest.mark.parametrize(
    ("event", "payload", "field"),
    [
        ("message:send", {"conversationId": "7", "content": "x"}, "conversationId"),
        ("message:send", {"conversationId": NOBODY, "content": b"x"}, "content"),
        ("message:send", {"conversationId": NOBODY, "content": "x", "metadata": {"a": b"x"}}, "metadata"),
        ("message:edit", {"messageId": "7", "content": "x"}, "messageId"),
        ("reaction:add", {"messageId": NOBODY, "emoji": ""}, "emoji"),
        ("message:received", {"conversationId": NOBODY, "seq": -1}, "seq"),
        ("sync", {"conversationId": NOBODY, "limit": 0}, "limit"),
        ("subscribe", {"channels": [7]}, "channels.0"),
    ],
)
def test_a_wrong_field_is_named(people: dict[str, Any], event: str, payload: Any, field: str) -> None:
    assert list(error_of(people["ann"].ask(event, payload), "invalid")["fields"]) == [field]


def test_the_order_of_checks_is_that_of_rest(people: dict[str, Any]) -> None:
    ann, ben, cat, message = people["ann"], people["ben"], people["cat"], people["message"]
    error_of(cat.ask("message:edit", {"messageId": message, "content": 1}), "invalid")
    error_of(cat.ask("message:edit", {"messageId": message, "content": "x"}), "not_found")
    error_of(ben.ask("message:edit", {"messageId": message, "content": "x"}), "forbidden")
    after = send_body(people["group"], "x", afterClientMessageId=NOBODY)
    error_of(cat.ask("message:send", after), "not_found")
    error_of(ann.ask("message:send", after), "out_of_order")
    gone = ann.ok("message:send", send_body(people["group"], "gone"))["message"]["id"]
    ann.ok("message:delete", {"messageId": gone})
    error_of(ben.ask("message:edit", {"messageId": gone, "content": "x"}), "forbidden")
    error_of(ann.ask("message:edit", {"messageId": gone, "content": "x"}), "conflict")


@pytest.mark.parametrize("event", list(EVENTS))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_any_payload_is_acked_and_the_socket_goes_on(people: dict[str, Any], event: str, data: st.DataObject) -> None:
    ids = st.sampled_from([people["group"], people["message"], NOBODY])
    known = {"conversationId": ids, "messageId": ids, "replyToId": ids, "content": words, "seq": st.integers(0, 3),
             "messageIds": st.lists(ids, min_size=1, max_size=3), "emoji": st.just("x"),
             "channels": st.lists(words | ids.map("typing:{}".format), max_size=3)}  # fmt: skip
    payload = data.draw(st.one_of(anything, st.binary(max_size=5), bodies_for(EVENTS[event].model, known)))
    ack = people["ann"].ask(event, payload)
    assert ack["ok"] or error_of(ack), ack
    assert people["ann"].client.connected


def test_after_all_this_a_message_still_goes_through(people: dict[str, Any]) -> None:
    sent = people["ann"].ok("message:send", send_body(people["group"], "still here"))["message"]
    people["ben"].next("message", lambda m: m["id"] == sent["id"] and m["persisted"])
