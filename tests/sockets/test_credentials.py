"""A credential that ends takes its sockets with it, at every process; one that only changes leaves them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from tests.support.cast import Cast
from tests.support.clients import PASSWORD, Person, Rest, Socket, refused_connection
from tests.support.inside import Inside
from tests.support.modes import one_mode
from tests.support.stack import Stack, until

pytestmark = one_mode
WITHIN_S = 1.0  # the promise; a machine of ours may be slower than that by SLACK_S
SLACK_S = 3.0


def is_cut(device: Socket) -> bool:
    """Tell whether the server has ended a device's connection."""
    return not device.client.connected


def all_cut(devices: list[Socket]) -> None:
    """Wait until every one of these is cut."""
    until(lambda: all(map(is_cut, devices)), within_s=WITHIN_S + SLACK_S, what="every socket's end")


def give_role(inside: Inside, person: Person, role: str) -> None:
    """Do what `set-role` does, without the seconds that a process takes to start."""
    inside.rows("SELECT set_config('parley.scope', 'system', false)")
    inside.rows("UPDATE users SET role = %s WHERE profile_id = %s RETURNING 1", role, person.id)
    inside.rows("SELECT set_config('parley.scope', '', false)")
    inside.rows("SELECT pg_notify('parley', %s)", f'{{"kind": "role", "profileId": "{person.id}"}}')


@pytest.fixture
def ann(stack: Stack, name: str) -> Iterator[Person]:
    """Somebody at the first process."""
    person = Person(stack.urls[0], name)
    yield person
    person.close()


def sign_in_again(ann: Person) -> dict[str, Any]:
    return dict(ann.ok("POST", "/auth/login", {"identifier": ann.username, "password": PASSWORD}))


def log_out(ann: Person, stack: Stack, inside: Inside) -> None:
    ann.ok("POST", "/auth/logout")


def end_the_session(ann: Person, stack: Stack, inside: Inside) -> None:
    other = Rest(stack.urls[0], sign_in_again(ann)["accessToken"])
    mine = next(s["id"] for s in other.ok("GET", "/sessions")["items"] if not s["current"])
    other.ok("DELETE", f"/sessions/{mine}")


def change_the_password_elsewhere(ann: Person, stack: Stack, inside: Inside) -> None:
    other = Rest(stack.urls[0], sign_in_again(ann)["accessToken"])
    other.ok("PATCH", "/me", {"currentPassword": PASSWORD, "password": "another horse battery 8"})


def change_the_role(ann: Person, stack: Stack, inside: Inside) -> None:
    give_role(inside, ann, "staff")


def disable_by_hand(ann: Person, stack: Stack, inside: Inside) -> None:
    """There is no verb yet: the row changes, and the notice says that it did."""
    inside.rows("UPDATE profiles SET disabled_at = now() WHERE id = %s RETURNING 1", ann.id)
    inside.rows("SELECT pg_notify('parley', %s)", f'{{"kind": "profile", "profileId": "{ann.id}"}}')


@pytest.mark.parametrize(
    "end", [log_out, end_the_session, change_the_password_elsewhere, change_the_role, disable_by_hand]
)
def test_what_ends_a_credential_cuts_its_sockets_everywhere(
    stack: Stack, inside: Inside, ann: Person, end: Callable[[Person, Stack, Inside], None]
) -> None:
    devices = [ann.socket(url) for url in stack.urls for _ in range(2)]
    bystander = Person(stack.urls[1], f"{ann.username}b")
    stays = bystander.socket()
    end(ann, stack, inside)
    all_cut(devices)
    if end is not change_the_role:
        assert refused_connection(stack.urls[1], {"token": ann.token})["code"] == "unauthenticated"
    else:
        assert ann.socket(stack.urls[1]).ready["actor"]["role"] == "staff"
    assert stays.ok("presence", {"status": "online"})
    bystander.close()


@pytest.fixture(scope="module")
def staff(stack: Stack, inside: Inside) -> Iterator[Person]:
    """Somebody who answers customers."""
    person = Person(stack.urls[0], "s" + uuid.uuid4().hex[:12])
    give_role(inside, person, "staff")
    until(lambda: person.call("GET", "/customers").ok, what="the role at the door")
    yield person
    person.close()


def customer(stack: Stack, staff: Person, **token: Any) -> tuple[dict[str, Any], Rest]:
    """Make a customer with a portal token."""
    someone = staff.ok("POST", "/customers", {"displayName": "Zoe"})["customer"]["id"]
    made = staff.ok("POST", f"/customers/{someone}/portal-tokens", token)
    return made, Rest(stack.urls[1], made["token"])


def test_a_revoked_portal_token_cuts_the_customer_everywhere(stack: Stack, staff: Person) -> None:
    made, zoe = customer(stack, staff)
    devices = [Socket(url, {"token": zoe.token}) for url in stack.urls]
    staff.ok("DELETE", f"/portal-tokens/{made['portalToken']['id']}")
    all_cut(devices)
    until(lambda: zoe.call("GET", "/me").status_code == 401, within_s=WITHIN_S + SLACK_S, what="the token's end")


def test_a_portal_token_takes_its_sockets_with_it_when_it_expires(stack: Stack, staff: Person, inside: Inside) -> None:
    made, zoe = customer(stack, staff, expiresInSeconds=3600)
    inside.rows(
        "UPDATE portal_tokens SET expires_at = now() + interval '2 seconds' WHERE id = %s RETURNING 1",
        made["portalToken"]["id"],
    )
    devices = [Socket(url, {"token": zoe.token}) for url in stack.urls]
    assert not any(map(is_cut, devices))
    all_cut(devices)


def test_a_socket_lives_as_long_as_its_session_and_not_as_its_access_token(
    stack: Stack, ann: Person, inside: Inside, name: str
) -> None:
    ben = Person(stack.urls[1], f"{name}b")
    session = jwt.decode(ann.token or "", options={"verify_signature": False})
    brief = {**session, "exp": int(time.time()) + 4}
    ann.token = jwt.encode(brief, stack.environ["SECRET_KEY"], algorithm="HS256")
    ends = "UPDATE sessions SET expires_at = now() + interval '7 seconds' WHERE profile_id = %s RETURNING 1"
    for person in (ann, ben):
        inside.rows(ends, person.id)
    time.sleep(1)  # what was believed of the sessions is forgotten
    kept, let_go = ann.socket(), ben.socket()
    until(lambda: ann.call("GET", "/me").status_code == 401, what="the access token's end")
    assert not is_cut(kept)
    ann.ok("POST", "/auth/refresh", {"refreshToken": ann.refresh_token})
    until(lambda: is_cut(let_go), within_s=7 + SLACK_S, what="the end of the session that nobody refreshed")
    time.sleep(1)
    assert not is_cut(kept)
    ben.close()


def test_a_new_name_is_the_name_of_open_sockets_too_and_no_one_elses_concern(cast: Cast, name: str) -> None:
    zed = Person(cast.stack.urls[0], name)
    room = zed.room(name, cast.ben)
    device, listener = zed.socket(cast.stack.urls[1]), cast.device(cast.ben)
    zed.ok("PATCH", "/me", {"displayName": "Zed the Second"})
    until(
        lambda: (
            device.ok("message:send", {"conversationId": room, "content": "x"})["message"]["sender"]["displayName"]
            == "Zed the Second"
        ),
        what="the new name at an open socket",
    )
    assert not is_cut(device)
    assert not is_cut(listener)
    zed.close()
