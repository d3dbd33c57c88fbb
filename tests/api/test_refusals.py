"""Every refusal of the contract's section 2, in its envelope and in the order of checks, and that none is ever a 5xx."""

from __future__ import annotations

import re
import socket
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings, strategies as st

from app.api.endpoint import CALLS, Call
from tests.support.clients import Person, Rest, send_body
from tests.support.modes import one_mode
from tests.support.payloads import anything, bodies_for, words
from tests.support.stack import Stack

pytestmark = one_mode
NOBODY = str(uuid.uuid4())
BY_NAME = {f"{call.method} {call.rule}": call for call in CALLS}
WITH_BODY = [name for name, call in BY_NAME.items() if call.body is not None and not call.takes_form]
LOGOUT = "POST /auth/logout"  # what succeeds there ends the session that all the others use
STATUS_OF = {
    "malformed": {400}, "unauthenticated": {401}, "forbidden": {403}, "not_found": {404, 405}, "conflict": {409},
    "out_of_order": {409}, "too_large": {413}, "invalid": {422}, "rate_limited": {429}, "unavailable": {503},
}  # fmt: skip
TEMPORARY = {"out_of_order", "rate_limited", "unavailable"}


@pytest.fixture(scope="module")
def people(stack: Stack) -> Iterator[dict[str, Any]]:
    """Ann and ben with a group and a room of ann's; cat outside."""
    word = "r" + uuid.uuid4().hex[:10]
    ann, ben, cat = (Person(stack.url, f"{word}{who}") for who in ("ann", "ben", "cat"))
    group, room = ann.group("Ours", ben), ann.room(f"{word}-room", ben, visibility="private")
    sent = ann.ok("POST", "/messages/send", send_body(group, "hello"))["message"]["id"]
    ann.until_persisted(group, 1)
    yield {"ann": ann, "ben": ben, "cat": cat, "group": group, "room": room, "slug": f"{word}-room", "message": sent}
    for person in (ann, ben, cat):
        person.close()


def envelope(response: requests.Response, code: str | None = None) -> dict[str, Any]:
    """Check a refusal's envelope and give its error."""
    assert response.headers["Content-Type"] == "application/json", response.text[:300]
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json()
    assert list(body) == ["success", "version", "timestamp", "error"]
    assert body["success"] is False
    assert body["version"] == "v1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["timestamp"])
    error: dict[str, Any] = body["error"]
    assert {"code", "message", "temporary", "requestId"} <= set(error)
    assert set(error) <= {"code", "message", "temporary", "requestId", "fields", "retryAfter"}
    assert response.status_code in STATUS_OF[error["code"]], error
    assert error["temporary"] is (error["code"] in TEMPORARY)
    assert error["message"]
    assert error["requestId"] == response.headers["X-Request-ID"] != ""
    if error["code"] == "invalid":
        assert error["fields"]
        assert all(isinstance(s, str) and s for sentences in error["fields"].values() for s in sentences)
    if "retryAfter" in error:
        assert int(response.headers["Retry-After"]) >= error["retryAfter"]
    if error["code"] == "unauthenticated":
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert code in (None, error["code"]), error
    return error


def path_of(call: Call, **values: str) -> str:
    """Fill a call's path with these values, or with what is nobody's."""

    def part(name: re.Match[str]) -> str:
        text = values.get(name[1], NOBODY)
        return quote(text, safe="", errors="surrogatepass")  # half a character has bytes, too

    return re.sub(r"<(?:path:)?(\w+)>", part, call.rule)


# each refusal ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [name for name, call in BY_NAME.items() if not call.public])
def test_a_call_without_a_credential_is_refused_before_anything_else(stack: Stack, name: str) -> None:
    call = BY_NAME[name]
    nobody = Rest(stack.url)
    envelope(nobody.call(call.method, path_of(call), {"nonesuch": 1}), "unauthenticated")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer x.y.z", "Bearer ptk_x", "bearer é", "Bearer " + "a" * 4000],
)
def test_a_credential_that_is_none_is_refused(stack: Stack, header: str) -> None:
    response = requests.get(f"{stack.url}/api/me", headers={"Authorization": header.encode()}, timeout=20)
    envelope(response, "unauthenticated")


def test_a_forged_or_foreign_token_is_refused(stack: Stack, people: dict[str, Any]) -> None:
    head, body, seal = people["ann"].token.split(".")
    assert Rest(stack.url, people["ann"].token).ok("GET", "/me")["user"]["id"] == people["ann"].id
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    for forged in (
        f"{head}.{body}.{seal[:-4]}AAAA",
        f"{none}.{body}.",
        f"{head}.{people['ben'].token.split('.')[1]}.{seal}",
    ):
        envelope(Rest(stack.url, forged).call("GET", "/me"), "unauthenticated")


@pytest.mark.parametrize("name", WITH_BODY)
@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"{", "application/json"), (b"", "application/json"), (b"a=1", "application/x-www-form-urlencoded"),
     (b"{}", "text/plain"), (b'{"a": NaN}', "application/json"), (b"\xff\xfe\xff", "application/json")],
)  # fmt: skip
def test_what_is_not_json_is_malformed(
    stack: Stack, people: dict[str, Any], name: str, body: bytes, content_type: str
) -> None:
    call = BY_NAME[name]
    ann = Person(stack.url, f"r{uuid.uuid4().hex[:10]}") if name == LOGOUT and not body else people["ann"]
    headers = {"Authorization": f"Bearer {ann.token}", "Content-Type": content_type}
    url = f"{ann.url}/api{path_of(call)}"
    answer = ann.session.request(call.method, url, data=body, headers=headers, timeout=20)
    if not call.needs_body and not body:
        assert answer.status_code == 200, "what ends something needs no body, even where it may have one"
    else:
        envelope(answer, "malformed")


@pytest.mark.parametrize("name", WITH_BODY)
def test_an_unknown_field_is_invalid_even_where_nothing_is_found(people: dict[str, Any], name: str) -> None:
    call = BY_NAME[name]
    error = envelope(people["ann"].call(call.method, path_of(call), {"nonesuch": 1}), "invalid")
    assert error["fields"]["nonesuch"] == ["is not a known field"]


@pytest.mark.parametrize(
    "name", [name for name, call in BY_NAME.items() if call.method != "GET" and not call.takes_form]
)
def test_a_body_that_is_no_object_is_invalid(people: dict[str, Any], name: str) -> None:
    call = BY_NAME[name]
    assert envelope(people["ann"].call(call.method, path_of(call), [1]), "invalid")["fields"] == {
        "body": ["must be an object"]
    }


@pytest.mark.parametrize("name", list(BY_NAME))
def test_an_unknown_or_repeated_query_field_is_invalid(people: dict[str, Any], name: str) -> None:
    call = BY_NAME[name]
    if call.body is None:
        for query in ({"nonesuch": "1"}, [("limit", "1"), ("limit", "2")]):
            error = envelope(people["ann"].call(call.method, path_of(call), params=query), "invalid")
            assert {"nonesuch", "limit"} & set(error["fields"])


@pytest.mark.parametrize("name", [name for name, call in BY_NAME.items() if "_id>" in call.rule])
def test_a_malformed_id_in_a_path_is_not_found(people: dict[str, Any], name: str) -> None:
    call = BY_NAME[name]
    body = ({"content": "x"} if name.startswith("PATCH /messages") else {}) if call.body is not None else None
    for odd in ("7", uuid.uuid4().hex, "%00", "é", "\ud7ff", f"{NOBODY}x"):
        values = dict.fromkeys(re.findall(r"(\w+_id)>", call.rule), odd)
        envelope(people["ann"].call(call.method, path_of(call, **values), body), "not_found")


@pytest.mark.parametrize("room", ["nonesuch", "Upper", "%00", "a%2Fb", "é" * 70, "..%2f", "-"])
def test_a_room_that_cannot_be_is_not_found(people: dict[str, Any], room: str) -> None:
    for path in (f"/conversations/{room}", f"/conversations/{room}/messages", f"/rooms/{room}/rejoin"):
        envelope(people["ann"].call("GET", path), "not_found")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/messages/send", {"conversationId": "7", "content": "x"}, "conversationId"),
        ("/messages/send", {"conversationId": NOBODY, "content": "x", "replyToId": "7"}, "replyToId"),
        ("/messages/send", {"conversationId": NOBODY, "content": "x", "clientMessageId": 7}, "clientMessageId"),
        ("/messages/mark-received", {"roomId": "lobby", "messageId": "7"}, "messageId"),
        ("/messages/mark-read", {"messageIds": ["7"]}, "messageIds.0"),
    ],
)
def test_a_malformed_id_in_a_body_is_invalid(people: dict[str, Any], path: str, body: Any, field: str) -> None:
    assert list(envelope(people["ann"].call("POST", path, body), "invalid")["fields"]) == [field]


@pytest.mark.parametrize(
    "path", ["", "/nonesuch", "/me/", "//me", "/conversations//messages", "/messages", "/openapi", "/%00"]
)
def test_an_unknown_path_is_not_found(stack: Stack, people: dict[str, Any], path: str) -> None:
    for person in (people["ann"], Rest(stack.url)):
        response = person.call("GET", path, allow_redirects=False)
        assert response.status_code == 404
        envelope(response, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/me"),
        ("POST", "/sessions"),
        ("PATCH", "/auth/login"),
        ("TRACE", "/me"),
        ("PATCH", "/messages/unread-count"),
        ("DELETE", "/messages/mark-read"),
        ("GET", "/messages/send"),
    ],
)
def test_a_method_that_a_path_does_not_have_says_which_it_has(stack: Stack, method: str, path: str) -> None:
    response = Rest(stack.url).call(method, path)
    assert response.status_code == 405
    envelope(response, "not_found")
    assert {"GET", "POST"} & set(response.headers["Allow"].split(", "))


def test_a_body_over_the_limit_is_too_large_and_the_connection_goes_on(people: dict[str, Any]) -> None:
    ann = people["ann"]
    envelope(ann.call("POST", "/messages/send", send_body(people["group"], "x" * 300_000)), "too_large")
    assert ann.ok("GET", "/me")["user"]["id"] == ann.id


def test_a_body_of_unknown_length_is_read_up_to_the_same_limit(people: dict[str, Any]) -> None:
    ann = people["ann"]
    headers = {"Authorization": f"Bearer {ann.token}", "Content-Type": "application/json"}

    def chunks(size: int) -> Iterator[bytes]:
        yield b'{"displayName": "'
        yield from [b"x" * 1000] * (size // 1000)
        yield b'"}'

    url = f"{ann.url}/api/me"
    envelope(requests.patch(url, data=chunks(1000), headers=headers, timeout=20), "invalid")
    envelope(requests.patch(url, data=chunks(300_000), headers=headers, timeout=20), "too_large")


def test_a_request_id_is_taken_over_or_made(stack: Stack) -> None:
    asked = requests.get(f"{stack.url}/api/me", headers={"X-Request-ID": "abc.DEF-1_2"}, timeout=20)
    assert envelope(asked)["requestId"] == "abc.DEF-1_2"
    for odd in ("a b", "x" * 65, '"><script>'):
        found = envelope(requests.get(f"{stack.url}/api/me", headers={"X-Request-ID": odd}, timeout=20))["requestId"]
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]+", found)


# state ----------------------------------------------------------------------------------------------------------------
def test_a_taken_name_is_a_conflict_that_names_the_field(people: dict[str, Any]) -> None:
    ann, ben = people["ann"], people["ben"]
    body = {
        "username": ann.username.upper(),
        "email": f"{uuid.uuid4().hex}@example.org",
        "password": "correct horse battery 9",
    }
    assert envelope(ann.call("POST", "/auth/register", body), "conflict")["fields"] == {"username": ["is taken"]}
    body |= {"username": "u" + uuid.uuid4().hex[:10], "email": f"{ann.username}@EXAMPLE.org".upper()}
    assert envelope(ann.call("POST", "/auth/register", body), "conflict")["fields"] == {"email": ["is taken"]}
    room = {"kind": "room", "slug": people["slug"]}
    assert envelope(ben.call("POST", "/conversations", room), "conflict")["fields"] == {"slug": ["is taken"]}


def test_the_same_client_id_for_another_target_is_a_conflict(people: dict[str, Any]) -> None:
    ann, mine = people["ann"], str(uuid.uuid4())
    ann.ok("POST", "/messages/send", send_body(people["group"], "once", mine))
    envelope(ann.call("POST", "/messages/send", send_body(people["room"], "once", mine)), "conflict")


def test_a_send_after_an_unknown_one_is_out_of_order_and_temporary(people: dict[str, Any]) -> None:
    body = send_body(people["group"], "second", afterClientMessageId=str(uuid.uuid4()))
    error = envelope(people["ann"].call("POST", "/messages/send", body), "out_of_order")
    assert "afterClientMessageId" in error["fields"]


def test_a_deleted_message_takes_no_edit_and_no_reaction(people: dict[str, Any]) -> None:
    ann = people["ann"]
    gone = ann.ok("POST", "/messages/send", send_body(people["group"], "short-lived"))["message"]["id"]
    ann.ok("DELETE", f"/messages/{gone}")
    ann.ok("DELETE", f"/messages/{gone}")  # a second time is the same
    envelope(ann.call("PATCH", f"/messages/{gone}", {"content": "again"}), "conflict")
    envelope(ann.call("PUT", f"/messages/{gone}/reactions/x"), "conflict")


@pytest.mark.parametrize(
    "body",
    [{"content": ""}, {"content": " \u3000\n"}, {"content": None}, {}, {"content": "x" * 4001}, {"content": "a\u0000b"},
     {"content": "x", "attachmentIds": [NOBODY]}, {"content": "x", "replyToId": NOBODY}, {"content": "x", "metadata": []},
     {"content": "x", "senderId": NOBODY}, {"content": "x", "roomId": "lobby"}],
)  # fmt: skip
def test_a_send_that_says_nothing_or_names_what_is_not_there_is_invalid(people: dict[str, Any], body: Any) -> None:
    whole = {"conversationId": people["group"], **body}
    envelope(people["ann"].call("POST", "/messages/send", whole), "invalid")


def test_a_send_to_nowhere_or_to_oneself_is_invalid(people: dict[str, Any]) -> None:
    ann = people["ann"]
    envelope(ann.call("POST", "/messages/send", {"content": "x"}), "invalid")
    envelope(ann.call("POST", "/messages/send", {"content": "x", "recipientUsername": ann.username}), "invalid")
    envelope(ann.call("POST", "/conversations", {"kind": "direct", "username": ann.username}), "invalid")


# the order of checks --------------------------------------------------------------------------------------------------
def test_shape_comes_before_existence_existence_before_rights_rights_before_state(people: dict[str, Any]) -> None:
    ann, ben, cat, group, message = (people[key] for key in ("ann", "ben", "cat", "group", "message"))
    wrong, unknown = {"slug": None}, {"slug": "elsewhere"}  # a group has no slug: a matter of state
    assert envelope(cat.call("PATCH", f"/conversations/{group}", wrong))["code"] == "invalid"
    assert envelope(cat.call("PATCH", f"/conversations/{group}", unknown))["code"] == "not_found"
    assert envelope(ben.call("PATCH", f"/conversations/{group}", unknown))["code"] == "forbidden"
    assert envelope(ann.call("PATCH", f"/conversations/{group}", unknown))["code"] == "invalid"
    assert envelope(cat.call("PATCH", f"/messages/{message}", {"content": 1}))["code"] == "invalid"
    assert envelope(cat.call("PATCH", f"/messages/{message}", {"content": "x"}))["code"] == "not_found"
    assert envelope(ben.call("PATCH", f"/messages/{message}", {"content": "x"}))["code"] == "forbidden"


def test_a_hidden_conversation_comes_before_what_is_wrong_about_a_send(people: dict[str, Any]) -> None:
    for more in ({"attachmentIds": [NOBODY]}, {"replyToId": people["message"]}, {"afterClientMessageId": NOBODY}):
        body = send_body(people["group"], "x", **more)
        assert people["cat"].refused("POST", "/messages/send", body)[1]["code"] == "not_found"
        assert people["ann"].call("POST", "/messages/send", body).status_code in (201, 409, 422)


def test_a_person_who_is_not_there_comes_before_the_right_to_add_them(people: dict[str, Any]) -> None:
    path = f"/conversations/{people['room']}/members"
    envelope(people["ben"].call("POST", path, {"username": "nobody-" + uuid.uuid4().hex[:8]}), "not_found")
    envelope(people["ben"].call("POST", path, {"username": people["cat"].username}), "forbidden")


# anything -------------------------------------------------------------------------------------------------------------
relaxed = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.mark.parametrize("name", [name for name in WITH_BODY if name != LOGOUT])
@relaxed
@given(data=st.data())
def test_no_body_is_ever_a_fault_of_ours(people: dict[str, Any], name: str, data: st.DataObject) -> None:
    call, ann = BY_NAME[name], people["ann"]
    assert call.body is not None
    ids = st.sampled_from([people["group"], people["message"], NOBODY])
    known = {"conversationId": ids, "messageId": ids, "replyToId": ids, "roomId": ids | st.just(people["slug"]),
             "content": words, "messageIds": st.lists(ids, min_size=1, max_size=3),
             "recipientUsername": st.just(people["ben"].username)}  # fmt: skip
    payload = data.draw(st.one_of(anything, bodies_for(call.body, known)))
    values = data.draw(st.fixed_dictionaries({"room": ids | words, "message_id": ids | words}))
    response = ann.call(call.method, path_of(call, **values), payload)
    assert response.ok or envelope(response), response.text


@pytest.mark.parametrize("name", [name for name, call in BY_NAME.items() if "<" in call.rule])
def test_half_a_character_in_a_path_is_never_a_fault_of_ours(people: dict[str, Any], name: str) -> None:
    call = BY_NAME[name]
    half = dict.fromkeys(re.findall(r"<(?:path:)?(\w+)>", call.rule), "\ud800")
    response = people["ann"].call(call.method, path_of(call, **half), {} if call.body else None)
    assert response.status_code < 500
    assert response.ok or envelope(response), response.text


@relaxed
@given(data=st.data())
def test_no_query_is_ever_a_fault_of_ours(people: dict[str, Any], data: st.DataObject) -> None:
    ann = people["ann"]
    call = data.draw(st.sampled_from([call for call in CALLS if call.method == "GET"]))
    names = [field.alias or name for name, field in call.query.model_fields.items()] or ["limit"]
    value = st.integers().map(str) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.just(NOBODY)
    query = data.draw(st.dictionaries(st.sampled_from(names), value, max_size=3))
    response = ann.call(call.method, path_of(call, room=people["group"]), params=query)
    assert response.ok or envelope(response), response.text


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /api/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
        b"GET /api/users/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_bytes_that_are_no_text_are_refused(stack: Stack, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(stack.url).port or 0), timeout=20) as connection:
        connection.sendall(raw)
        assert b" 401 " in connection.recv(2000).split(b"\r\n")[0]


@pytest.mark.parametrize(
    "metadata", [{"a": 1e300, "b": 1e20, "c": 2**63}, {"a": {"b": [None, True, -0.5, "ü\\u0000"]}}]
)
def test_metadata_comes_back_as_it_was_sent(people: dict[str, Any], metadata: Any) -> None:
    ann = people["ann"]
    sent = ann.ok("POST", "/messages/send", send_body(people["room"], "with metadata", metadata=metadata))["message"]
    assert sent["metadata"] == metadata
    assert ann.ok("GET", f"/messages/{sent['id']}")["message"]["metadata"] == metadata  # from the database
    assert people["ben"].everything(people["room"])[-1]["metadata"] == metadata
