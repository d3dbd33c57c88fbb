"""Search: what one may see is found, whatever way it came, and nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from app.domain import search
from app.kernel import clock, terms
from tests.domain.conftest import Aside
from tests.support.cast import Cast
from tests.support.clients import Person, Rest
from tests.support.doors import Door, RestDoor
from tests.support.inside import Inside
from tests.support.modes import one_mode
from tests.support.stack import Stack

pytestmark = one_mode  # it reads what is committed, however it came there
Enter = Callable[[Person], Door]


def found(person: Rest, **query: Any) -> list[str]:
    """Search all pages; gives the contents."""
    items: list[Any] = []
    cursor: str | None = None
    while True:
        page = person.ok("GET", "/search", params={**query, **({"cursor": cursor} if cursor else {})})
        items += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            assert len({item["id"] for item in items}) == len(items)
            return [item["content"] for item in items]


def test_a_message_is_found_at_once_by_those_who_see_it_and_as_it_is_now(cast: Cast, door: Enter, name: str) -> None:
    ann, ben, dan = cast.ann, cast.ben, cast.dan
    group = cast.group(name, ben)
    sent = door(ann).say(group, f"first of {name}")
    assert found(ann, q=name) == found(ben, q=name.upper()) == found(ben, q=name[3:9]) == [f"first of {name}"]
    assert found(dan, q=name) == []
    door(ann).edit(sent["id"], f"second of {name}")
    assert found(ben, q=f"first {name}") == []
    assert found(ben, q=f"second {name}") == [f"second of {name}"]
    assert ben.ok("GET", "/search", params={"q": name})["items"] == [
        ben.ok("GET", f"/messages/{sent['id']}")["message"]
    ]
    ann.ok("POST", f"/conversations/{group}/members", {"username": dan.username})
    assert found(dan, q=name) == []  # a group's earlier history is not for them
    door(ann).say(group, f"third of {name}")
    assert found(dan, q=name) == [f"third of {name}"]
    ben.ok("POST", f"/conversations/{group}/leave")
    assert found(ben, q=name) == []
    door(ann).delete(sent["id"])
    assert found(ann, q=name) == [f"third of {name}"]


def test_filters_narrow(cast: Cast, name: str) -> None:
    ann, ben = cast.ann, cast.ben
    rooms = [cast.room(f"{name}-{number}", ben) for number in range(2)]
    door = RestDoor(ann)
    upload = ann.upload(b"words", f"report-{name}.txt")
    said = [
        door.say(rooms[0], f"{name} plain"),
        door.say(rooms[0], f"{name} see https://example.org/x"),
        door.say(rooms[1], f"{name} with a file", attachmentIds=[upload["id"]]),
        RestDoor(ben).say(rooms[1], f"{name} of Ben"),
    ]
    contents = [message["content"] for message in said]
    assert found(ann, q=name) == contents[::-1]
    assert found(ann, q=name, conversationId=rooms[0]) == contents[1::-1]
    assert found(ann, q=name, **{"from": ben.username}) == found(ann, q=name, **{"from": ben.id}) == contents[3:]
    assert found(ann, q=name, has="link") == [contents[1]]
    assert found(ann, q=name, has="file") == found(ann, q=name, has="attachment") == [contents[2]]
    assert found(ann, q=name, has="image") == []
    assert found(ann, q=f"report {name}") == [contents[2]]
    assert found(ann, conversationId=rooms[1], has="file") == [contents[2]]
    assert found(ann, q=name, before=said[1]["createdAt"]) == contents[:1]
    assert found(ann, q=name, after=said[2]["createdAt"]) == contents[:1:-1]
    assert found(ann, q=name, conversationId=rooms[0], after=str(said[0]["seq"])) == [contents[1]]


def test_pages_hold_each_once_newest_first_through_the_months(cast: Cast, name: str, inside: Inside) -> None:
    room = cast.room(name, cast.ben)
    inside.fill(room, cast.ann.id, 150)
    inside.rows(
        "UPDATE messages SET created_at = now() - (150 - seq) * interval '1 day' WHERE conversation_id = %s", room
    )
    for limit in (7, 60):
        contents = found(cast.ben, q="line", conversationId=room, limit=limit)
        assert contents == [f"line {number}" for number in range(150, 0, -1)]
    assert found(cast.ben, q="line 77", conversationId=room) == ["line 77"]  # two digits are a word of their own
    RestDoor(cast.ann).say(room, "猫が好き")
    assert found(cast.ben, q="猫", conversationId=room) == ["猫が好き"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "q"), ({"q": "?!"}, "q"), ({"q": "x" * 201}, "q"), ({"q": "x", "has": "all"}, "has"),
        ({"q": "x", "before": "yesterday"}, "before"), ({"q": "x", "after": "7"}, "after"),
        ({"q": "x", "from": "nobody-at-all"}, "from"), ({"q": "x", "cursor": "x"}, "cursor"),
        ({"q": "x", "nonesuch": "1"}, "nonesuch"),
    ],
)  # fmt: skip
def test_a_wrong_search_names_its_field(cast: Cast, query: dict[str, str], field: str) -> None:
    status, error = cast.ann.refused("GET", "/search", params=query)
    assert (status, error["code"]) == (422, "invalid")
    assert list(error["fields"]) == [field]


def test_a_conversation_that_is_hidden_is_not_found(cast: Cast, name: str) -> None:
    group = cast.group(name, cast.ben)
    assert cast.dan.refused("GET", "/search", params={"q": "x", "conversationId": group})[0] == 404


@pytest.fixture
def crowded(inside: Inside, cast: Cast, name: str) -> Iterator[str]:
    """Many messages that can be found, in a conversation that nobody is in; rolled up into the real index."""
    c = cast.group(name, cast.cyd)
    inside.fill(c, cast.ann.id, 4000)
    inside.rows(
        "UPDATE messages SET created_at = now() - (4000 - seq) * interval '1 minute' WHERE conversation_id = %s", c
    )
    inside.rows(
        "INSERT INTO found_messages SELECT id, conversation_id, seq, created_at, ARRAY['wor', 'ord', 'w' || seq]"
        " FROM messages WHERE conversation_id = %s",
        c,
    )
    inside.rows("INSERT INTO found_up_to VALUES (%s, 4000)", c)
    inside.rows("ANALYZE found_messages")
    yield c
    inside.rows("DELETE FROM found_messages WHERE conversation_id = %s", c)


def test_a_search_uses_the_index_although_row_security_comes_first(stack: Stack, cast: Cast, crowded: str) -> None:
    connection = psycopg2.connect(stack.environ["DATABASE_URL"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('parley.actor_id', %s, true)", (cast.ann.id,))
        cursor.execute("SELECT set_config('parley.looked_for', '{wor,w77}', true)")
        plan = "EXPLAIN SELECT message_id FROM found_messages ORDER BY created_at DESC LIMIT 50"
        cursor.execute(plan)
        assert "Bitmap Index Scan on found_messages_terms" in "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("SELECT count(*) FROM found_messages")
        assert cursor.fetchone() == (1,)
        cursor.execute("SELECT set_config('parley.actor_id', %s, true)", (cast.dan.id,))
        cursor.execute("SELECT count(*) FROM found_messages")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT set_config('parley.looked_for', '', true)")
        cursor.execute(plan)
        assert cursor.fetchall()
    connection.close()


def test_looking_nearby_finds_what_is_often_said_and_gives_up_on_the_rest(
    stack: Stack, cast: Cast, crowded: str
) -> None:
    connection = psycopg2.connect(stack.environ["DATABASE_URL"])
    near = "SELECT count(*), count(found_id) FROM parley_find(%s, %s, %s, NULL, NULL, NULL, NULL, %s, %s)"
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('parley.scope', 'system', true)")
        cursor.execute("SELECT set_config('parley.looked_for', '{wor}', true)")
        cursor.execute(
            "EXPLAIN SELECT message_id FROM found_messages WHERE conversation_id = %s AND seq >= 64 AND seq < 128",
            (crowded,),
        )
        assert "found_messages_pkey" in "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute(near, (cast.ann.id, crowded, ["wor", "w77"], 50, 1000))
        assert cursor.fetchone() == (1, 1)
        cursor.execute(near, (cast.ann.id, crowded, ["wor", "w77"], 50, 20))
        assert cursor.fetchone() == (1, 0)  # it has given up, and says so
        cursor.execute(near, (cast.ann.id, crowded, ["wor", "ord"], 50, 0))
        assert 50 <= cursor.fetchone()[0] < 200  # what is often said is found, and no more is read
        cursor.execute(near, (cast.dan.id, None, ["wor", "ord"], 50, 1000))
        assert cursor.fetchone() == (0, 0)


def test_what_is_seldom_said_here_is_found_whichever_way_is_taken(
    aside: Aside, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = aside.room(name)
    aside.inside.fill(room, aside.ann["id"], 300)
    search.take_up(now=clock.now())
    ways = []
    for parts, everywhere_ms in ((search.PARTS_OF_ONE, search.EVERYWHERE_MS), (1, search.EVERYWHERE_MS), (1, 1)):
        monkeypatch.setattr(search, "PARTS_OF_ONE", parts)
        monkeypatch.setattr(search, "EVERYWHERE_MS", everywhere_ms)
        ways.append(aside.call(aside.ann, "GET", f"/search?q=line+7&conversationId={room}&limit=200")["items"])
    assert [len(way) for way in ways] == [1, 1, 1]
    assert ways[0] == ways[1] == ways[2]


def test_a_search_that_takes_too_long_says_how_to_narrow_it(cast: Cast, name: str, inside: Inside) -> None:
    room = cast.room(name)
    RestDoor(cast.ann).say(room, f"slow {name}")
    assert found(cast.ann, q=name, conversationId=room)
    connection = inside.connect()
    connection.autocommit = False
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE found_messages IN ACCESS EXCLUSIVE MODE")
        headers = {"Authorization": f"Bearer {cast.ann.token}"}
        answer = cast.ann.session.get(
            f"{cast.ann.url}/api/search", params={"q": name, "conversationId": room}, headers=headers, timeout=20
        )
    connection.close()
    assert answer.status_code == 503
    assert "use a longer word" in answer.json()["error"]["message"]


def test_the_job_takes_up_what_is_much_and_a_search_does_not_wait_for_it(
    aside: Aside, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = aside.room(name)
    monkeypatch.setattr(search, "BATCH", 10)
    monkeypatch.setattr(search, "BATCHES_WHILE_ASKED", 2)
    aside.inside.fill(room, aside.ann["id"], 45)
    where = f"/api/search?q=line&limit=200&conversationId={room}"
    headers = {"Authorization": f"Bearer {aside.ann['token']}"}
    first = aside.client.get(where, headers=headers)
    assert (first.status_code, first.get_json()["error"]["retryAfter"]) == (503, 5)
    assert search.take_up(now=clock.now()) == 1
    assert search.take_up(now=clock.now(), all_of_them=True) == 0
    assert len(aside.client.get(where, headers=headers).get_json()["data"]["items"]) == 45


def test_the_pieces_kept_are_those_that_are_looked_for(cast: Cast, name: str, inside: Inside) -> None:
    room = cast.room(name)
    sent = RestDoor(cast.ann).say(room, f"Wörter {name}")
    assert found(cast.ann, q=name)
    kept = set(inside.rows("SELECT terms FROM found_messages WHERE message_id = %s", sent["id"])[0][0])
    assert kept == terms.of(f"Wörter {name}") | {f"in:{room}", f"from:{cast.ann.id}"}
    assert uuid.UUID(sent["id"])
