"""What the REST call grants, what the socket then hears on it, and that nothing is heard twice."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from app.domain import channels
from app.kernel.actor import Actor
from app.sockets import events, registry
from tests.support.cast import Cast
from tests.support.clients import Person, Socket, send_body
from tests.support.doors import RestDoor
from tests.support.serving import customer_of, promote
from tests.support.stack import Stack, until

PATH = "/messages/realtime/subscribe"


@pytest.fixture(scope="module")
def sam(stack: Stack) -> Iterator[Person]:
    person = Person(stack.url, "sam-" + stack.database[-8:])
    promote(stack, person)
    yield person
    person.close()


def test_a_member_is_granted_a_conversations_channels_and_hears_them(cast: Cast, name: str) -> None:
    room = cast.room(name, cast.ben)
    granted = cast.ben.ok("POST", PATH, {"conversationId": room, "includeTyping": False})
    assert granted == {
        "socketUrl": cast.ben.url,
        "socketPath": "/socket.io",
        "channels": [f"conversation:{room}", f"receipts:{room}", f"presence:{room}"],
        "features": {"messages": True, "readReceipts": True, "typing": False, "presence": True},
        "filters": {"userId": cast.ben.id, "customerId": None, "conversationId": room},
    }
    device = cast.ben.socket(granted["socketUrl"])
    assert set(granted["channels"]) <= set(device.ok("subscribe", {"channels": granted["channels"]})["channels"])
    said = RestDoor(cast.ben).say(room, "read me")
    RestDoor(cast.ann).read(room, said["id"])
    device.next("receipt", lambda r: r["messageId"] == said["id"])
    device.close()


def test_without_a_conversation_one_is_granted_all_of_ones_own(cast: Cast, name: str) -> None:
    room = cast.room(name, cast.ben)
    granted = cast.ben.ok("POST", PATH, {"includePresence": False})
    assert {f"{kind}:{room}" for kind in ("conversation", "receipts", "typing")} <= set(granted["channels"])
    assert not any(channel.startswith(("presence", "staff", "customer", "user")) for channel in granted["channels"])
    assert granted["filters"]["conversationId"] is None
    assert cast.dan.refused("POST", PATH, {"conversationId": "7"})[1]["fields"].keys() == {"conversationId"}
    assert cast.dan.refused("POST", PATH, {"includeTyping": "yes"})[1]["fields"].keys() == {"includeTyping"}


def test_ending_a_subscription_takes_the_sockets_of_this_credential_out(cast: Cast, name: str) -> None:
    room, other = cast.room(name, cast.ben), cast.room(name + "2", cast.ben)
    channels = [f"receipts:{room}", f"typing:{room}", f"receipts:{other}"]
    devices = [cast.ben.socket(url) for url in cast.stack.urls]
    for device in devices:
        device.ok("subscribe", {"channels": channels})

    def held(device: Socket) -> set[str]:
        return set(device.ok("subscribe", {"channels": []})["channels"]) & {*channels, f"conversation:{room}"}

    ended = cast.ben.ok("DELETE", PATH, {"channels": [channels[0]]})
    assert ended["channels"] == [channels[0]]
    for device in devices:
        until(lambda d=device: held(d) == {*channels[1:], f"conversation:{room}"}, within_s=3, what="one channel less")
    assert set(channels) <= set(cast.ben.ok("DELETE", PATH)["channels"])
    for device in devices:
        until(lambda d=device: held(d) == {f"conversation:{room}"}, within_s=3, what="only the conversation's own")
        device.close()


def test_staff_and_customer_hear_their_messages_once_however_they_listen(stack: Stack, sam: Person, name: str) -> None:
    customer, customer_id, _ = customer_of(sam, name)
    granted = customer.ok("POST", PATH, {})
    assert granted["channels"][0] == f"customer:{customer_id}:messages"
    assert granted["filters"] == {"userId": None, "customerId": customer_id, "conversationId": None}
    assert sam.ok("POST", PATH, {})["channels"][0] == f"staff:{sam.id}:messages"
    phone, desk = Socket(stack.urls[1], {"token": customer.token}), sam.socket(stack.urls[0])
    phone.ok("subscribe", {"channels": [f"customer:{customer_id}:messages"]})
    desk.ok("subscribe", {"channels": [f"staff:{sam.id}:messages"]})
    first = phone.ok("message:send", {"content": "made after the channel was held"})["message"]
    c = first["conversationId"]

    def once(device: Socket, message_id: str) -> None:
        device.next("message", lambda m: m["id"] == message_id and m["persisted"])
        fence = sam.ok("POST", "/messages/send", send_body(c, "fence"))["message"]["id"]
        device.next("message", lambda m: m["id"] == fence and m["persisted"])
        assert len(device.heard("message", lambda m: m["id"] == message_id and m["persisted"])) == 1

    tom = Person(stack.url, f"{name}t")
    promote(stack, tom)
    near_phone, near_desk = tom.socket(stack.urls[1]), tom.socket(stack.urls[0])
    listening = (
        (phone, f"customer:{customer_id}:messages", near_phone),
        (desk, f"staff:{sam.id}:messages", near_desk),
    )
    for device, own, witness in listening:
        once(device, first["id"])
        device.ok("unsubscribe", {"channels": [f"conversation:{c}"]})  # the own messages still bring it
        said = customer.ok("POST", "/messages/send", send_body(c, "by the one channel"))["message"]
        once(device, said["id"])
        device.ok("unsubscribe", {"channels": [own]})
        unheard = customer.ok("POST", "/messages/send", send_body(c, "by none"))["message"]
        witness.next("message", lambda m, i=unheard["id"]: m["id"] == i and m["persisted"])
        device.ok("subscribe", {"channels": [own]})
        again = customer.ok("POST", "/messages/send", send_body(c, "by the one again"))["message"]
        once(device, again["id"])
        assert device.heard("message", lambda m, i=unheard["id"]: m["id"] == i) == []
    phone.close()
    tom.close()


def test_an_own_messages_channel_brings_no_private_conversation(stack: Stack, sam: Person, name: str) -> None:
    ann = Person(stack.url, f"{name}a")
    desk = sam.socket(stack.urls[1])
    desk.ok("subscribe", {"channels": [f"staff:{sam.id}:messages"]})
    direct = ann.direct(sam)
    until(lambda: f"conversation:{direct}" in desk.ok("subscribe", {"channels": []})["channels"], what="the join")
    desk.ok("unsubscribe", {"channels": [f"conversation:{direct}"]})
    private = ann.ok("POST", "/messages/send", send_body(direct, "not about a customer"))["message"]
    customer, _, _ = customer_of(sam, name)
    served = customer.ok("POST", "/messages/send", {"content": "about one"})["message"]
    desk.next("message", lambda m: m["id"] == served["id"] and m["persisted"])
    assert desk.heard("message", lambda m: m["id"] == private["id"]) == []
    ann.close()


@pytest.mark.fast
def test_a_socket_that_hears_a_conversation_may_hear_the_rest_of_it_without_another_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine, other = uuid4(), uuid4()
    connection = registry.Connection("sid", Actor(id=uuid4(), kind="user"), memberships={mine: 0})
    asked: list[str] = []
    monkeypatch.setattr(channels, "authorise", lambda _, channel: asked.append(channel))
    for kind in channels.OF_A_CONVERSATION:
        events._authorise(connection, f"{kind}:{mine}")
    assert asked == []
    for channel in (f"receipts:{other}", f"customer:{mine}:messages", "receipts:nothing"):
        events._authorise(connection, channel)
    assert asked == [f"receipts:{other}", f"customer:{mine}:messages", "receipts:nothing"]
