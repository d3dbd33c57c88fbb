"""Customers and staff: tokens, the one open conversation, the inbox, and who sees what."""

from __future__ import annotations

import hashlib

import pytest

from tests.support.clients import Person, Rest, Socket, refused_connection, send_body
from tests.support.inside import Inside
from tests.support.serving import customer_of, promote
from tests.support.stack import Stack, until


@pytest.fixture
def sam(stack: Stack, name: str) -> Person:
    """A member of staff."""
    person = Person(stack.url, f"{name}s")
    promote(stack, person)
    return person


def test_a_customer_writes_and_staff_answer_live_on_another_process(stack: Stack, sam: Person, name: str) -> None:
    desk = sam.socket(stack.urls[1])
    customer, customer_id, _ = customer_of(sam, f"{name}c", stack.urls[0])
    device = Socket(stack.urls[0], {"token": customer.token})
    sent = device.ok("message:send", {"content": "Where is my parcel?"})["message"]
    heard = desk.next("message", lambda m: m["id"] == sent["id"] and m["persisted"])
    assert (heard["senderType"], heard["senderId"]) == ("customer", customer_id)
    answer = desk.ok("message:send", send_body(sent["conversationId"], "On its way."))["message"]
    assert answer["senderType"] == "staff"
    device.next("message", lambda m: m["id"] == answer["id"] and m["persisted"])
    again = customer.ok("POST", "/conversations", {"kind": "support"})["conversation"]
    assert (again["id"], again["status"], again["customer"]["id"]) == (sent["conversationId"], "open", customer_id)
    assert {p["kind"] for p in again["participants"]} == {"customer", "user"}
    device.close()
    sam.close()


def test_a_resolved_conversation_reopens_when_the_customer_writes(sam: Person, name: str) -> None:
    customer, _, _ = customer_of(sam, f"{name}c")
    message = customer.ok("POST", "/messages/send", {"content": "Hello?"})["message"]
    target = message["conversationId"]
    sam.until_persisted(target, 1)
    patched = sam.ok("PATCH", f"/support/conversations/{target}", {"status": "resolved", "assigneeId": sam.id})[
        "conversation"
    ]
    assert (patched["status"], patched["assigneeId"]) == ("resolved", sam.id)
    assert target in [c["id"] for c in sam.ok("GET", "/support/conversations", params={"status": "resolved"})["items"]]
    customer.ok("POST", "/messages/send", send_body(target, "One more thing."))
    until(lambda: sam.ok("GET", f"/conversations/{target}")["conversation"]["status"] == "open", what="reopening")
    inbox = sam.ok("GET", "/support/conversations", params={"assignee": sam.id})["items"]
    assert [c["unreadCount"] for c in inbox if c["id"] == target] == [2]
    sam.close()


def test_members_see_no_support_conversation_and_staff_no_private_one(stack: Stack, sam: Person, name: str) -> None:
    ann, ben = Person(stack.url, f"{name}a"), Person(stack.url, f"{name}b")
    direct = ann.direct(ben)
    customer, customer_id, _ = customer_of(sam, f"{name}c")
    target = customer.ok("POST", "/conversations", {"kind": "support", "title": "Help"})["conversation"]["id"]
    assert sam.ok("GET", f"/conversations/{target}")
    assert ann.refused("GET", f"/conversations/{target}")[0] == 404
    assert sam.refused("GET", f"/conversations/{direct}/messages")[0] == 404
    assert ann.refused("GET", "/support/conversations")[0] == 403
    assert ann.refused("POST", "/customers", {"displayName": "x"})[0] == 403
    other, _, _ = customer_of(sam, f"{name}d")
    assert other.refused("GET", f"/conversations/{target}/messages")[0] == 404
    assert customer.refused("GET", "/users")[0] == 403
    assert customer.refused("POST", "/conversations", {"kind": "direct", "username": ann.username})[0] == 403
    assert customer.ok("GET", "/me")["customer"]["id"] == customer_id
    for person in (ann, ben, sam):
        person.close()


def test_staff_who_came_later_see_older_conversations(stack: Stack, sam: Person, name: str) -> None:
    customer, _, _ = customer_of(sam, f"{name}c")
    target = customer.ok("POST", "/messages/send", {"content": "An old question"})["message"]["conversationId"]
    sam.until_persisted(target, 1)
    tom = Person(stack.url, f"{name}t")
    assert tom.refused("GET", f"/conversations/{target}")[0] == 404
    promote(stack, tom)
    assert [m["content"] for m in tom.history(target)] == ["An old question"]
    promote(stack, tom, "member")
    assert tom.refused("GET", f"/conversations/{target}")[0] == 404
    tom.close()
    sam.close()


def test_a_revoked_portal_token_ends_its_sockets_within_a_second(stack: Stack, sam: Person, name: str) -> None:
    customer, _, token_id = customer_of(sam, f"{name}c", stack.urls[1])
    device = Socket(stack.urls[1], {"token": customer.token})
    assert customer.ok("GET", "/conversations")
    sam.ok("DELETE", f"/portal-tokens/{token_id}")
    until(lambda: not device.client.connected, within_s=3, what="the cut")
    until(lambda: customer.call("GET", "/conversations").status_code == 401, within_s=3, what="the refusal")
    assert sam.ok("DELETE", f"/portal-tokens/{token_id}")
    sam.close()


def test_wrong_input_names_its_field(sam: Person, name: str) -> None:
    assert sam.ok("POST", "/customers", {"displayName": "one", "externalId": name})
    assert sam.refused("POST", "/customers", {"displayName": "two", "externalId": name})[0] == 409
    assert sam.refused("POST", "/customers", {"displayName": ""})[1]["fields"].keys() == {"displayName"}
    customer, customer_id, _ = customer_of(sam, f"{name}c")
    path = f"/customers/{customer_id}/portal-tokens"
    assert sam.refused("POST", path, {"expiresInSeconds": 0})[1]["fields"].keys() == {"expiresInSeconds"}
    target = customer.ok("POST", "/conversations", {"kind": "support"})["conversation"]["id"]
    status, error = sam.refused("PATCH", f"/support/conversations/{target}", {"assigneeId": customer_id})
    assert (status, error["fields"].keys()) == (422, {"assigneeId"})
    sam.close()


def test_staff_who_came_later_find_what_was_resolved_and_hear_it_open_again(
    stack: Stack, sam: Person, name: str
) -> None:
    customer, _, _ = customer_of(sam, f"{name}c")
    target = customer.ok("POST", "/messages/send", {"content": "Hello?"})["message"]["conversationId"]
    sam.until_persisted(target, 1)
    sam.ok("PATCH", f"/support/conversations/{target}", {"status": "resolved"})
    tom, una = Person(stack.url, f"{name}t"), Person(stack.urls[1], f"{name}u")
    promote(stack, tom)
    promote(stack, una)
    desk = una.socket()
    assert target not in str(desk.ready), "it was resolved before"
    listed = tom.ok("GET", "/support/conversations", params={"status": "resolved", "limit": 200})["items"]
    assert target in [c["id"] for c in listed]
    again = customer.ok("POST", "/messages/send", send_body(target, "Once more."))["message"]
    desk.next("message", lambda m: m["id"] == again["id"] and m["persisted"])
    for person in (tom, una):
        person.close()


def test_each_member_of_staff_has_their_own_unread(stack: Stack, sam: Person, name: str) -> None:
    tom = Person(stack.url, f"{name}t")
    promote(stack, tom)
    customer, _, _ = customer_of(sam, f"{name}c")
    target = customer.ok("POST", "/messages/send", {"content": "Hello?"})["message"]["conversationId"]
    first = sam.until_persisted(target, 1)[0]

    def unread(person: Person) -> int:
        found = person.ok("GET", "/support/conversations", params={"status": "open", "limit": 200})["items"]
        return next(int(c["unreadCount"]) for c in found if c["id"] == target)

    sam.ok("POST", "/messages/mark-read", {"messageIds": [first["id"]]})
    assert (unread(sam), unread(tom)) == (0, 1)
    tom.close()


def test_a_portal_token_ends_by_itself_and_is_never_taken_from_an_address(
    stack: Stack, sam: Person, name: str, inside: Inside
) -> None:
    customer, _, token_id = customer_of(sam, f"{name}c", stack.urls[1])
    nobody = Rest(stack.url)
    assert nobody.refused("GET", "/conversations", params={"token": customer.token})[0] == 401
    refused_connection(f"{stack.url}?token={customer.token}", {})
    kept = inside.rows("SELECT token_hash FROM portal_tokens WHERE id = %s", token_id)[0][0]
    assert bytes(kept) == hashlib.sha256(customer.token.encode()).digest()
    inside.rows("UPDATE portal_tokens SET expires_at = now() - interval '1 second' WHERE id = %s", token_id)
    assert customer.refused("GET", "/conversations")[1]["code"] == "unauthenticated"
