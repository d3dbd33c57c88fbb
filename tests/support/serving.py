"""Staff and customers for tests."""

from __future__ import annotations

from app.domain import accounts
from app.kernel import clock
from tests.support.clients import Person, Rest
from tests.support.stack import Stack, until
from tests.support.wired import inside


def promote(stack: Stack, person: Person, role: str = "staff") -> None:
    """Make someone staff as the domain does, but in this process: the command line's start is slow and not the matter."""
    with inside(stack.environ):
        accounts.set_role(username=person.username, role=role, now=clock.now())
    until(lambda: person.ok("GET", "/me")["user"]["role"] == role, what="the new role")


def customer_of(staff: Person, name: str, url: str | None = None) -> tuple[Rest, str, str]:
    """Make a customer with a portal token; gives (the customer at the REST door, their id, the token's id)."""
    made = staff.ok("POST", "/customers", {"displayName": name, "externalId": name, "email": f"{name}@example.org"})
    issued = staff.ok("POST", f"/customers/{made['customer']['id']}/portal-tokens", {"expiresInSeconds": 3600})
    assert issued["token"].startswith("ptk_")
    return Rest(url or staff.url, issued["token"]), made["customer"]["id"], issued["portalToken"]["id"]
