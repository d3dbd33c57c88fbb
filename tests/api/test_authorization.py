"""Who may do what: every REST call and every socket event, for everyone who is not allowed as for those who are.

Hidden is ``not_found``, whoever asks; a member without the right is ``forbidden``. A call that is missing here fails.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import psycopg2
import pytest
import requests

from app.api.endpoint import CALLS
from app.sockets.events import EVENTS
from tests.support.clients import Person, Rest, Socket, send_body
from tests.support.inside import Inside
from tests.support.modes import one_mode
from tests.support.stack import Stack

pytestmark = one_mode
KINDS = ("direct", "group", "private room", "public room")
OUTSIDERS = ("outsider", "ex-member", "staff", "admin")
Expected = dict[str, str]


def expect(
    member: str = "ok", owner: str = "ok", outside: str = "not_found", **by_kind: str
) -> Callable[[str, str], str]:
    """Say what a call comes to for an owner, a member and everyone else; by kind where that differs for insiders."""

    def of(who: str, kind: str) -> str:
        if who in OUTSIDERS:
            return outside
        return by_kind.get(kind.replace(" ", "_"), owner if who == "owner" else member)

    return of


def joining(who: str, kind: str) -> str:
    return "ok" if kind == "public room" or who not in OUTSIDERS else "not_found"


FIXED = {"direct": "forbidden"}  # nobody joins, leaves or ends a direct conversation
MODERATED = expect(member="forbidden", **FIXED)
READ = expect()
# Calls about a conversation, its messages or members; `{c}` and `{message}` stand for ids, `{someone}` for a third person.
OF_CONVERSATIONS: dict[str, tuple[str, Any, Callable[[str, str], str]]] = {
    "GET /conversations/<room>": ("/conversations/{c}", None, READ),
    "PATCH /conversations/<room>": ("/conversations/{c}", {"topic": "new"}, MODERATED),
    "GET /conversations/<room>/members": ("/conversations/{c}/members", None, READ),
    "POST /conversations/<room>/members": (
        "/conversations/{c}/members",
        {"username": "{someone}"},
        expect(direct="forbidden"),  # overridden for private rooms below
    ),
    "PUT /conversations/<room>/settings": ("/conversations/{c}/settings", {"muted": True}, READ),
    "GET /conversations/<room>/messages": ("/conversations/{c}/messages", None, READ),
    "GET /rooms/<room>/rejoin": ("/rooms/{c}/rejoin", None, READ),
    "POST /messages/send": ("/messages/send", {"conversationId": "{c}", "content": "hello"}, READ),
    "GET /messages/unread-count": ("/messages/unread-count?conversationId={c}", None, READ),
    "POST /messages/mark-received": ("/messages/mark-received", {"roomId": "{c}", "messageId": "{message}"}, READ),
    "POST /messages/mark-read": ("/messages/mark-read", {"messageIds": ["{message}"]}, READ),
    "POST /messages/mark-unread": (
        "/messages/mark-unread",
        {"conversationId": "{c}", "messageId": "{message}"},
        READ,
    ),
    "GET /conversations/<room>/unread": ("/conversations/{c}/unread", None, READ),
    "POST /messages/realtime/subscribe": ("/messages/realtime/subscribe", {"conversationId": "{c}"}, READ),
    "GET /messages/<message_id>": ("/messages/{message}", None, READ),
    "GET /messages/<message_id>/history": ("/messages/{message}/history", None, READ),
    "GET /messages/<message_id>/receipts": ("/messages/{message}/receipts", None, READ),
    "GET /messages/<message_id>/passport": ("/messages/{message}/passport", None, READ),
    "GET /messages/<message_id>/thread": ("/messages/{message}/thread", None, READ),
    "PUT /messages/<message_id>/reactions/<path:emoji>": ("/messages/{message}/reactions/x", None, READ),
    "DELETE /messages/<message_id>/reactions/<path:emoji>": ("/messages/{message}/reactions/x", None, READ),
    "PATCH /messages/<message_id>": ("/messages/{message}", {"content": "edited"}, expect(member="forbidden")),
    "GET /uploads/<upload_id>": ("/uploads/{upload}", None, READ),
    "GET /search": ("/search?q=hello&conversationId={c}", None, READ),
    "GET /conversations/<room>/presence": ("/conversations/{c}/presence", None, READ),
    "POST /conversations/<room>/join": ("/conversations/{c}/join", None, joining),
    # what ends something comes last
    "DELETE /messages/<message_id>": ("/messages/{message}", None, expect(member="forbidden")),
    "DELETE /conversations/<room>/members/<profile_id>": ("/conversations/{c}/members/{owner}", None, expect()),
    "POST /conversations/<room>/leave": ("/conversations/{c}/leave", None, expect(direct="forbidden")),
    "DELETE /conversations/<room>": ("/conversations/{c}", None, MODERATED),
}
# Calls about oneself or everybody: anyone signed in may, and gets only the own.
OF_ONESELF = {
    "POST /auth/register", "POST /auth/login", "POST /auth/refresh", "POST /auth/logout",
    "POST /auth/forgot", "POST /auth/reset", "GET /me/notifications", "PUT /me/notifications", "GET /me", "PATCH /me",
    "GET /sessions", "DELETE /sessions/<session_id>", "GET /users", "GET /users/<username>", "POST /conversations",
    "GET /conversations", "GET /conversations/with/<username>", "GET /rooms", "GET /presence", "GET /connection",
    "POST /uploads", "PUT /me/picture", "DELETE /me/picture", "GET /pictures/<picture_id>",
    "DELETE /messages/realtime/subscribe",
    "POST /customers/identify",
}  # fmt: skip
# Calls of those who serve customers: (path, body); `{customer}` and `{token}` stand for ids, `{c}` for their conversation.
OF_STAFF: dict[str, tuple[str, Any]] = {
    "POST /customers": ("/customers", {"displayName": "New"}),
    "GET /customers": ("/customers", None),
    "POST /customers/<customer_id>/portal-tokens": ("/customers/{customer}/portal-tokens", {}),
    "DELETE /portal-tokens/<token_id>": ("/portal-tokens/{token}", None),
    "GET /support/conversations": ("/support/conversations", None),
    "PATCH /support/conversations/<conversation_id>": ("/support/conversations/{c}", {"status": "pending"}),
}
# Calls of admins: (path, body); `{bot}` and `{key}` stand for a bot and its token.
OF_ADMINS: dict[str, tuple[str, Any]] = {
    "POST /bots": ("/bots", {"username": "{fresh}"}),
    "GET /bots": ("/bots", None),
    "POST /bots/<bot_id>/api-tokens": ("/bots/{bot}/api-tokens", {}),
    "DELETE /api-tokens/<token_id>": ("/api-tokens/{key}", None),
    "DELETE /bots/<bot_id>": ("/bots/{bot}", None),
}
# In a support conversation all of staff and its customer are insiders; what the customer, then staff, may not do.
NOT_IN_SUPPORT = {
    "PATCH /conversations/<room>": ("forbidden", "invalid"),  # it has no topic
    "POST /conversations/<room>/members": ("forbidden", "forbidden"),
    "DELETE /conversations/<room>/members/<profile_id>": ("forbidden", "forbidden"),
    "POST /conversations/<room>/join": ("forbidden", "ok"),
    "POST /conversations/<room>/leave": ("forbidden", "forbidden"),
    "DELETE /conversations/<room>": ("forbidden", "forbidden"),
    "PATCH /messages/<message_id>": ("ok", "forbidden"),
    "message:edit": ("ok", "forbidden"),
}
OF_EVENTS: dict[str, tuple[Any, Callable[[str, str], str]]] = {
    "subscribe": ({"channels": ["receipts:{c}"]}, READ),
    "unsubscribe": ({"channels": ["receipts:{c}"]}, expect(outside="ok")),  # letting go of what one never held
    "message:send": ({"conversationId": "{c}", "content": "hello"}, READ),
    "message:edit": ({"messageId": "{message}", "content": "edited"}, expect(member="forbidden")),
    "reaction:add": ({"messageId": "{message}", "emoji": "x"}, READ),
    "reaction:remove": ({"messageId": "{message}", "emoji": "x"}, READ),
    "message:received": ({"conversationId": "{c}", "messageId": "{message}"}, READ),
    "message:read": ({"conversationId": "{c}", "messageId": "{message}"}, READ),
    "message:unread": ({"conversationId": "{c}", "messageId": "{message}"}, READ),
    "sync": ({"conversationId": "{c}", "after": 0}, READ),
    "typing": ({"conversationId": "{c}", "isTyping": True}, READ),
    "presence": ({"status": "online"}, expect(outside="ok")),  # about oneself
    "message:delete": ({"messageId": "{message}"}, expect(member="forbidden")),
}
NAMES = {f"{call.method} {call.rule}" for call in CALLS}


class Names(dict[str, str]):
    """A scene's names; ``{upload}``, an upload in a message of the owner's, is made when first asked for."""

    writer: Rest

    def __missing__(self, name: str) -> str:
        assert name == "upload", name
        self[name] = self.writer.upload(b"what was uploaded")["id"]
        sent = self.writer.ok("POST", "/messages/send", send_body(self["c"], "", attachmentIds=[self[name]]))
        self.writer.ok("GET", f"/messages/{sent['message']['id']}")
        return self[name]

    @classmethod
    def of(cls, writer: Rest, **names: str) -> Names:
        """Give a scene its names."""
        made = cls(names)
        made.writer = writer
        return made


@dataclass
class Cast:
    """The people of the table, and a way to make a fresh conversation of each kind for them."""

    people: dict[str, Person]
    word: str
    sockets: dict[str, Socket] = field(default_factory=dict)
    made: int = 0
    customer: Rest = field(default_factory=lambda: Rest(""))

    def scene(self, kind: str) -> Names:
        """Make a conversation of a kind: the owner has written in it, the ex-member was in it."""
        self.made += 1
        owner, member, gone = (self.people[who] for who in ("owner", "member", "ex-member"))
        name = f"{self.word}-{self.made}"
        if kind == "direct":
            c = owner.direct(member)
        elif kind == "group":
            c = owner.group(name, member, gone)
        else:
            c = owner.room(name, member, gone, visibility=kind.split(maxsplit=1)[0])
        if kind != "direct":
            gone.ok("POST", f"/conversations/{c}/leave")
        message = owner.ok("POST", "/messages/send", send_body(c, "hello"))["message"]["id"]
        owner.ok("GET", f"/messages/{message}")  # waits for its commit
        return Names.of(owner, c=c, message=message, someone=self.people["someone"].username, owner=owner.id)

    def support(self) -> Names:
        """Make a customer with a token and an open conversation; they take their place in the cast."""
        staff = self.people["staff"]
        customer = staff.ok("POST", "/customers", {"displayName": "Cleo"})["customer"]["id"]
        issued = staff.ok("POST", f"/customers/{customer}/portal-tokens", {})
        self.customer = Rest(staff.url, issued["token"])
        message = self.customer.ok("POST", "/messages/send", {"content": "Where is it?"})["message"]
        self.customer.ok("GET", f"/messages/{message['id']}")
        names = {
            "customer": customer,
            "owner": customer,
            "token": issued["portalToken"]["id"],
            "message": message["id"],
        }
        c, someone = message["conversationId"], self.people["someone"].username
        return Names.of(self.customer, **names, c=c, someone=someone)

    def bot(self) -> tuple[Rest, dict[str, str]]:
        """Make a bot with a token."""
        admin = self.people["admin"]
        name = "b" + uuid.uuid4().hex[:12]
        made = admin.ok("POST", "/bots", {"username": name})["bot"]
        issued = admin.ok("POST", f"/bots/{made['id']}/api-tokens", {})
        names = {"bot": made["id"], "key": issued["apiToken"]["id"], "name": name, "fresh": f"{name}-2"}
        return Rest(admin.url, issued["token"]), names

    def socket(self, who: str) -> Socket:
        """Give someone's device."""
        if who not in self.sockets:
            self.sockets[who] = self.people[who].socket()
        return self.sockets[who]


@pytest.fixture(scope="module")
def cast(stack: Stack, inside: Inside) -> Iterator[Cast]:
    word = "a" + uuid.uuid4().hex[:10]
    roles = ("owner", "member", "outsider", "ex-member", "staff", "admin", "someone")
    people = {who: Person(stack.url, f"{word}.{who}") for who in roles}
    _promote(stack, people["staff"], "staff")
    _promote(stack, people["admin"], "admin")
    yield Cast(people, word)
    # Whoever becomes staff later would join the hundreds of these.
    inside.rows("UPDATE conversations SET status = 'resolved' WHERE kind = 'support' AND status <> 'resolved'")
    for person in people.values():
        person.close()


def _promote(stack: Stack, person: Person, role: str) -> None:
    superuser = stack.services["PARLEY_TEST_SUPERUSER_URL"].rpartition("/")[0] + f"/{stack.database}"
    connection = psycopg2.connect(superuser)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('parley.scope', 'system', false)")
        cursor.execute("UPDATE users SET role = %s WHERE profile_id = %s", (role, person.id))
        assert cursor.rowcount == 1
    connection.close()
    again = {"identifier": person.username, "password": "correct horse battery 9"}
    person.token = person.ok("POST", "/auth/login", again)["accessToken"]
    assert person.ok("GET", "/me")["user"]["role"] == role


def filled(template: Any, names: dict[str, str]) -> Any:
    """Put a scene's names into a path or a body."""
    if isinstance(template, str):
        return re.sub(r"\{(\w+)\}", lambda m: names[m[1]], template)
    if isinstance(template, list):
        return [filled(part, names) for part in template]
    return {name: filled(part, names) for name, part in template.items()} if isinstance(template, dict) else template


# nothing is missing ---------------------------------------------------------------------------------------------------
def unplaced(names: set[str], placed: set[str]) -> set[str]:
    return names - placed


def test_every_call_and_every_event_is_in_the_table() -> None:
    assert unplaced(NAMES, OF_ONESELF | set(OF_CONVERSATIONS) | set(OF_STAFF) | set(OF_ADMINS)) == set()
    assert unplaced(set(EVENTS), set(OF_EVENTS)) == set()
    assert unplaced({"GET /new"}, OF_ONESELF | set(OF_CONVERSATIONS)) == {"GET /new"}


def test_every_call_about_a_conversation_is_treated_as_one() -> None:
    about = {name for name in NAMES if "<room>" in name or "<message_id>" in name}
    assert about <= set(OF_CONVERSATIONS)


# the matrix -----------------------------------------------------------------------------------------------------------
def _wanted(name: str, who: str, kind: str, expected: Callable[[str, str], str]) -> str:
    if name == "POST /conversations/<room>/members" and kind == "private room" and who == "member":
        return "forbidden"
    if name == "DELETE /conversations/<room>/members/<profile_id>" and who == "member":
        return "forbidden"  # an owner is removed by nobody
    if name == "DELETE /conversations/<room>/members/<profile_id>" and kind == "direct" and who == "owner":
        return "forbidden"
    return expected(who, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [name for name in OF_CONVERSATIONS if name in NAMES])
def test_a_call_is_for_those_who_may(cast: Cast, name: str, kind: str) -> None:
    path, body, expected = OF_CONVERSATIONS[name]
    names = cast.scene(kind)
    method = name.split(maxsplit=1)[0]
    # Those who may not come first: an insider's success afterwards proves that there was something to be refused.
    for who in (*OUTSIDERS, "member", "owner"):
        if who == "ex-member" and kind == "direct":
            continue
        response = cast.people[who].call(method, filled(path, names), filled(body, names))
        came = "ok" if response.ok else response.json()["error"]["code"]
        assert came == _wanted(name, who, kind, expected), f"{who}: {response.text[:300]}"
        if who in OUTSIDERS and came == "ok":
            cast.people[who].ok("POST", f"/conversations/{names['c']}/leave")


def came_to(response: requests.Response) -> str:
    """Say what a call came to: ok, or the code of its refusal."""
    return "ok" if response.ok else str(response.json()["error"]["code"])


@pytest.mark.parametrize("name", [name for name in OF_CONVERSATIONS if name in NAMES])
def test_a_customer_is_an_outsider_everywhere_else(cast: Cast, name: str) -> None:
    path, body, _ = OF_CONVERSATIONS[name]
    cast.support()
    call = next(call for call in CALLS if f"{call.method} {call.rule}" == name)
    for kind in ("public room", "direct"):
        names = cast.scene(kind)
        assert cast.people["owner"].ok("GET", f"/conversations/{names['c']}")
        came = came_to(cast.customer.call(call.method, filled(path, names), filled(body, names)))
        assert came == ("not_found" if call.customers else "forbidden"), kind


@pytest.mark.parametrize("name", [name for name in OF_CONVERSATIONS if name in NAMES])
def test_a_support_conversation_is_its_customers_and_staffs(cast: Cast, name: str) -> None:
    path, body, _ = OF_CONVERSATIONS[name]
    names = cast.support()
    method = name.split(maxsplit=1)[0]
    for who in ("outsider", "member", "owner"):
        assert came_to(cast.people[who].call(method, filled(path, names), filled(body, names))) == "not_found", who
    by_customer, by_staff = NOT_IN_SUPPORT.get(name, ("ok", "ok"))
    staff = came_to(cast.people["staff"].call(method, filled(path, names), filled(body, names)))
    customer = came_to(cast.customer.call(method, filled(path, names), filled(body, names)))
    assert (customer, staff) == (by_customer, by_staff)


@pytest.mark.parametrize("name", list(OF_ADMINS))
def test_what_looks_after_bots_is_for_admins(cast: Cast, name: str) -> None:
    path, body = OF_ADMINS[name]
    bot, names = cast.bot()
    cast.support()
    method = name.split(maxsplit=1)[0]
    callers = {"bot": bot, "customer": cast.customer, **{who: cast.people[who] for who in ("member", "staff", "admin")}}
    came = {
        who: came_to(caller.call(method, filled(path, names), filled(body, names))) for who, caller in callers.items()
    }
    assert came == {**dict.fromkeys(callers, "forbidden"), "admin": "ok"}


@pytest.mark.parametrize("name", [name for name in OF_CONVERSATIONS if name in NAMES])
def test_a_bot_is_an_outsider_until_somebody_adds_it(cast: Cast, name: str) -> None:
    path, body, expected = OF_CONVERSATIONS[name]
    bot, own = cast.bot()
    names = cast.scene("group")
    call = next(call for call in CALLS if f"{call.method} {call.rule}" == name)

    def came() -> str:
        return came_to(bot.call(call.method, filled(path, names), filled(body, names)))

    assert came() == ("not_found" if call.customers else "forbidden")
    cast.people["member"].ok("POST", f"/conversations/{names['c']}/members", {"username": own["name"]})
    names["message"] = cast.people["owner"].ok("POST", "/messages/send", send_body(names["c"], "now"))["message"]["id"]
    cast.people["owner"].ok("GET", f"/messages/{names['message']}")
    names.pop("upload", None)  # the one it was refused is of before its time
    assert came() == (_wanted(name, "member", "group", expected) if call.customers else "forbidden")


@pytest.mark.parametrize("name", [name for name in OF_STAFF if name in NAMES])
def test_what_serves_customers_is_for_staff(cast: Cast, name: str) -> None:
    path, body = OF_STAFF[name]
    names = cast.support()
    method = name.split(maxsplit=1)[0]
    path, body = filled(path, names), filled(body, names)
    asked = {who: cast.people[who].call(method, path, body) for who in ("member", "staff", "admin")}
    by_customer = cast.customer.call(method, path, body)
    assert came_to(by_customer) in ("forbidden", "unauthenticated")  # the latter where staff has just ended the token
    hidden = "not_found" if "{c}" in OF_STAFF[name][0] else "forbidden"
    assert {who: came_to(answer) for who, answer in asked.items()} == {"member": hidden, "staff": "ok", "admin": "ok"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [name for name in OF_EVENTS if name in EVENTS])
def test_an_event_is_for_those_who_may(cast: Cast, name: str, kind: str) -> None:
    payload, expected = OF_EVENTS[name]
    names = cast.scene(kind)
    for who in (*OUTSIDERS, "member", "owner"):
        if who == "ex-member" and kind == "direct":
            continue
        ack = cast.socket(who).ask(name, filled(payload, names))
        came = "ok" if ack["ok"] else ack["error"]["code"]
        assert came == expected(who, kind), f"{who}: {ack}"


@pytest.mark.parametrize("name", [name for name in OF_EVENTS if name in EVENTS])
def test_a_customers_events_end_at_their_own_conversation(cast: Cast, name: str) -> None:
    payload, _ = OF_EVENTS[name]
    own, others = cast.support(), cast.scene("public room")
    device = Socket(cast.customer.url, {"token": cast.customer.token})

    def came(to: Socket, names: dict[str, str]) -> str:
        ack = to.ask(name, filled(payload, names))
        return "ok" if ack["ok"] else str(ack["error"]["code"])

    about_oneself = name in ("unsubscribe", "presence")
    assert came(device, others) == ("ok" if about_oneself else "not_found")
    assert came(cast.socket("owner"), own) == ("ok" if about_oneself else "not_found")
    by_customer, by_staff = NOT_IN_SUPPORT.get(name, ("ok", "ok"))
    assert came(cast.socket("staff"), own) == by_staff
    assert came(device, own) == by_customer
    device.close()


CHANNELS = (
    "conversation:{c}", "receipts:{c}", "typing:{c}", "presence:{c}", "user:{owner}", "staff:{owner}:messages",
    "customer:{owner}:messages", "", "conversation:", "conversation:7", "nonesuch:{c}",
)  # fmt: skip


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_is_for_those_who_may(cast: Cast, channel: str) -> None:
    names = cast.scene("group")
    wanted = filled(channel, names)
    insider = cast.socket("owner").ask("subscribe", {"channels": [wanted]})
    of_conversation = channel.endswith(":{c}") and not channel.startswith("nonesuch")
    assert insider["ok"] is of_conversation, insider
    for who in OUTSIDERS:
        refusal = cast.socket(who).refused("subscribe", {"channels": [wanted]})
        assert refusal["code"] == ("not_found" if channel else "invalid")


def test_an_outsider_hears_nothing_while_asking_to_be_let_in(cast: Cast) -> None:
    names = cast.scene("group")
    outsider, owner, member = (cast.socket(who) for who in ("outsider", "owner", "member"))
    for number in range(40):
        pending = [f"conversation:{names['c']}", f"user:{cast.people['member'].id}"]
        for channel in pending:
            outsider.client.emit("subscribe", {"channels": [channel]})
        owner.client.emit("message:send", send_body(names["c"], f"secret {number}"))
    owner.ok("message:send", send_body(names["c"], "last"))
    member.next("message", lambda m: m["conversationId"] == names["c"] and m["content"] == "last" and m["persisted"])
    assert len(member.messages(names["c"])) >= 40
    outsider.refused("subscribe", {"channels": pending})  # all of its asking is over
    for event in ("message", "message:changed", "receipt", "unread", "heads", "conversation"):
        assert [said for said in outsider.heard(event) if names["c"] in str(said)] == []


def test_one_gets_only_ones_own(cast: Cast) -> None:
    names = cast.scene("group")
    outsider, owner = cast.people["outsider"], cast.people["owner"]
    assert names["c"] in str(owner.ok("GET", "/conversations"))
    assert names["c"] not in str(outsider.ok("GET", "/conversations"))
    assert owner.ok("GET", "/me")["user"]["email"].startswith(owner.username)
    assert set(outsider.ok("GET", f"/users/{quote(owner.username)}")["user"]) == {
        "id",
        "username",
        "displayName",
        "avatarUrl",
    }
    theirs = owner.ok("GET", "/sessions")["items"][0]["id"]
    assert theirs not in str(outsider.ok("GET", "/sessions"))
    assert outsider.refused("DELETE", f"/sessions/{theirs}")[1]["code"] == "not_found"
    assert owner.ok("GET", "/me")
    hidden, shown = cast.scene("private room")["c"], cast.scene("public room")["c"]
    rooms = str(outsider.ok("GET", "/rooms", params={"q": cast.word, "limit": 200}))
    assert shown in rooms
    assert hidden not in rooms
