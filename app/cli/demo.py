"""The demo: an admin, four people, and a few conversations with real words in them."""

from __future__ import annotations

from uuid import UUID, uuid5

from app.domain import accounts, conversations, customers, memberships, messages, sample, support
from app.kernel import clock, requests
from app.kernel.actor import Actor, Role
from app.kernel.errors import Conflict
from app.kernel.settings import settings

PEOPLE = {"alice": "Alice Moreau", "bob": "Bob Okafor", "carol": "Carol Lindqvist", "dave": "Dave Tanaka"}
STAFF: dict[str, Role] = {"carol": "staff"}
NAMESPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


def seed() -> str:
    """Make the demo's people and conversations; says what it did."""
    if settings().is_production:
        return "no demo in production"
    if accounts.has_admin():
        return "an admin is there already: the demo is left as it is"
    people = {name: _person(name, display, role=STAFF.get(name, "member")) for name, display in PEOPLE.items()}
    admin = _person("admin", "Ada Admin", role="admin")
    _converse(people)
    _serve(admin, people["carol"])
    return "demo people: admin / admin-demo-password, and alice, bob, carol, dave / NAME-demo-password"


def _person(username: str, display_name: str, role: Role = "member") -> Actor:
    body = {
        "username": username,
        "email": f"{username}@demo.example",
        "password": f"{username}-demo-password",
        "displayName": display_name,
    }
    request = requests.parse(requests.Register, body)
    profile_id = accounts.create(request=request, role=role, now=clock.now())
    return Actor(id=profile_id, kind="user", role=role, username=username, display_name=display_name)


def _converse(people: dict[str, Actor]) -> None:
    for room in sample.ROOMS:
        first = people[room.lines[0].who]
        body = {"kind": "room", "slug": room.slug, "title": room.title, "topic": room.topic, "visibility": "public"}
        made, _ = conversations.create(
            first, request=requests.parse(requests.CreateConversation, body), now=clock.now()
        )
        for actor in people.values():
            memberships.join(actor, conversation_id=UUID(made["id"]), now=clock.now())
        for number, line in enumerate(room.lines):
            _say(people[line.who], made["id"], line.words, f"{room.slug}:{number}")
    made, _ = conversations.create(
        people["alice"],
        request=requests.parse(requests.CreateConversation, {"kind": "direct", "username": "bob"}),
        now=clock.now(),
    )
    for number, line in enumerate(sample.DIRECT):
        _say(people[line.who], made["id"], line.words, f"direct:{number}")


def _serve(admin: Actor, staff: Actor) -> None:
    name, email, number = sample.CUSTOMER
    body = {"displayName": name, "email": email, "externalId": number}
    made = customers.create(admin, request=requests.parse(requests.CreateCustomer, body), now=clock.now())
    customer = Actor(id=UUID(made["id"]), kind="customer", display_name=name)
    conversation_id, _ = support.open_for(customer, title="Invoice of May", now=clock.now())
    for place, line in enumerate(sample.SUPPORT):
        _say(customer if line.who == "customer" else staff, str(conversation_id), line.words, f"support:{place}")


def _say(actor: Actor, conversation_id: str, words: str, name: str) -> None:
    body = {"conversationId": conversation_id, "content": words, "clientMessageId": str(uuid5(NAMESPACE, name))}
    try:
        messages.send(actor, request=requests.parse(requests.SendMessage, body), now=clock.now())
    except Conflict:
        pass
