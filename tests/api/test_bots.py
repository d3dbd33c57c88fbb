"""Bots: made by admins, members where they were added, at both doors, until their token ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cast import Cast
from tests.support.clients import Person, Rest, Socket, refused_connection, send_body
from tests.support.inside import Inside
from tests.support.modes import one_mode
from tests.support.serving import promote
from tests.support.stack import Stack, until

pytestmark = one_mode


@pytest.fixture
def admin(stack: Stack, name: str) -> Iterator[Person]:
    person = Person(stack.url, f"{name}a")
    promote(stack, person, "admin")
    yield person
    person.close()


def bot_of(admin: Person, username: str, url: str | None = None) -> tuple[Rest, dict[str, str]]:
    """Make a bot with a token; gives it at the REST door, and its ids."""
    made = admin.ok("POST", "/bots", {"username": username, "displayName": "Robot"})["bot"]
    issued = admin.ok("POST", f"/bots/{made['id']}/api-tokens", {"name": "first"})
    return Rest(url or admin.url, issued["token"]), {"bot": made["id"], "key": issued["apiToken"]["id"]}


def test_a_bot_talks_where_it_was_added_at_both_doors(stack: Stack, cast: Cast, admin: Person, name: str) -> None:
    bot, made = bot_of(admin, f"{name}b", stack.urls[1])
    bens = cast.device(cast.ben)  # open before the bot speaks: it hears what comes, not what was
    room = cast.room(name, cast.ben)
    cast.ann.ok("POST", f"/conversations/{room}/members", {"username": f"{name}b"})
    device = Socket(stack.urls[1], {"token": bot.token})
    assert (device.ready["actor"]["kind"], device.ready["actor"]["username"]) == ("bot", f"{name}b")
    assert bot.ok("GET", "/me")["bot"]["id"] == made["bot"]
    sent = device.ok("message:send", send_body(room, "beep"))["message"]
    assert (sent["senderType"], sent["sender"]["displayName"]) == ("bot", "Robot")
    heard = bens.next("message", lambda m: m["id"] == sent["id"] and m["persisted"])
    assert heard["senderType"] == "bot"
    asked = cast.ann.ok("POST", "/messages/send", send_body(room, f"@{name}b are you there?"))["message"]
    assert device.next("message", lambda m: m["id"] == asked["id"] and m["persisted"])["mentions"] == [made["bot"]]
    assert bot.ok("POST", "/messages/send", send_body(room, "boop"))["message"]["senderId"] == made["bot"]
    participants = cast.ann.ok("GET", f"/conversations/{room}")["conversation"]["participants"]
    assert [p["kind"] for p in participants if p["id"] == made["bot"]] == ["bot"]
    assert [p["username"] for p in cast.ann.ok("GET", "/users", params={"q": f"{name}b"})["items"]] == [f"{name}b"]
    device.close()


def test_a_bot_makes_no_rooms_but_writes_to_people(admin: Person, cast: Cast, name: str) -> None:
    bot, _ = bot_of(admin, f"{name}b")
    assert bot.refused("POST", "/conversations", {"kind": "group", "title": "x"})[1]["code"] == "forbidden"
    sent = bot.ok("POST", "/messages/send", {"recipientUsername": cast.ann.username, "content": "beep"})["message"]
    assert cast.ann.until_persisted(sent["conversationId"], 1)[0]["senderType"] == "bot"


def test_an_ended_token_cuts_its_sockets_and_opens_nothing_again(stack: Stack, admin: Person, name: str) -> None:
    bot, made = bot_of(admin, f"{name}b")
    spare = admin.ok("POST", f"/bots/{made['bot']}/api-tokens", {"expiresInSeconds": 3600})
    device = Socket(stack.urls[1], {"token": bot.token})
    other = Socket(stack.urls[1], {"token": spare["token"]})
    for _ in range(2):  # the second time changes nothing
        assert admin.ok("DELETE", f"/api-tokens/{made['key']}") == {"ended": made["key"]}
    until(lambda: not device.client.connected, within_s=5, what="the end of the socket")
    assert other.client.connected
    until(lambda: bot.call("GET", "/me").status_code == 401, within_s=5, what="the end of the token")
    assert refused_connection(stack.urls[0], {"token": bot.token})["code"] == "unauthenticated"
    listed = {one["id"]: one for one in admin.ok("GET", "/bots", params={"limit": 200})["items"]}
    assert [one["id"] for one in listed[made["bot"]]["apiTokens"]] == [spare["apiToken"]["id"]]
    admin.ok("DELETE", f"/bots/{made['bot']}")
    until(lambda: not other.client.connected, within_s=5, what="the end of the bot")
    assert made["bot"] not in str(admin.ok("GET", "/bots", params={"limit": 200}))
    assert admin.refused("POST", f"/bots/{made['bot']}/api-tokens", {})[1]["code"] == "not_found"


def test_a_token_is_kept_as_a_hash_and_a_name_is_anybodys_once(admin: Person, name: str, inside: Inside) -> None:
    bot, made = bot_of(admin, f"{name}b")
    assert str(bot.token).startswith("bot_")
    kept = inside.rows("SELECT token_hash FROM api_tokens WHERE id = %s", made["key"])[0][0]
    assert len(kept) == 32
    assert str(bot.token).encode() not in bytes(kept)
    for taken in (f"{name}b", f"{name}A"):
        assert admin.refused("POST", "/bots", {"username": taken})[1]["fields"] == {"username": ["is taken"]}
    for wrong in ("bot_", "bot_x", f"{bot.token}x"):
        assert Rest(admin.url, wrong).refused("GET", "/me")[0] == 401
