"""A whole story to its end, and its logs: every line has its place, none has what was said or what lets anybody in."""

from __future__ import annotations

import json
import signal
import uuid
from pathlib import Path
from typing import Any

import redis
import requests
from celery import Celery

from tests.support.clients import PASSWORD, Person, Rest, Socket, refused_connection, send_body
from tests.support.inside import Inside
from tests.support.stack import Stack, until

WORDS = "the quick brown secret"


def _named(request_id: str, folder: Path) -> bool:
    return any(line.get("requestId") == request_id for line in lines(folder))


def lines(folder: Path) -> list[dict[str, Any]]:
    """Read what every process has written; each line must be JSON."""
    written = [line for path in sorted(folder.glob("*.log")) for line in path.read_text().splitlines()]
    assert [line for line in written if not line.startswith("{")] == []
    return [json.loads(line) for line in written]


def test_a_whole_story_leaves_no_word_and_no_key_in_the_logs(
    services: dict[str, str], template: str, tmp_path: Path, name: str
) -> None:
    stack = Stack.make(services, template, "behind", tmp_path, webs=1)
    stack.environ |= {"CHAT_LOG_FORMAT": "json", "CHAT_LOG_LEVEL": "debug"}
    stack.start()
    services_of_the_operator = redis.Redis.from_url(stack.environ["REDIS_URL"]).pubsub(ignore_subscribe_messages=True)
    services_of_the_operator.subscribe("channel:system-events")
    secrets = [PASSWORD, "another horse battery 8", "wrong password 1", WORDS, "@example.org"]
    try:
        ann, ben = Person(stack.url, f"{name}a"), Person(stack.url, f"{name}b")
        room = ann.room(name, ben)
        device = ann.socket()
        Rest(stack.url).call("POST", "/auth/login", {"identifier": ann.username, "password": "wrong password 1"})
        signed_in = ann.ok("POST", "/auth/login", {"identifier": ann.username, "password": PASSWORD})
        said = device.ok("message:send", {"conversationId": room, "content": f"{WORDS} fox"})["message"]
        ann.until_persisted(room, 1)
        ann.ok("PATCH", f"/messages/{said['id']}", {"content": f"{WORDS} bear"})
        device.refused("message:send", {"conversationId": room, "content": WORDS * 400})
        requests.post(f"{stack.url}/api/messages/send", data=f"{{{WORDS}", timeout=10)
        ben.ok("GET", "/users", params={"q": WORDS})
        refused_connection(stack.url, {"token": f"{ann.token}x"})
        requests.get(f"{stack.url}/api/me?token={ann.token}", timeout=10)
        broken(stack, device, ann, room)
        ann.ok("PATCH", "/me", {"currentPassword": PASSWORD, "password": "another horse battery 8"})
        asked = requests.get(f"{stack.url}/api/nowhere", headers={"X-Request-Id": "asked-by-a-proxy"}, timeout=10)
        assert asked.headers["X-Request-Id"] == asked.json()["error"]["requestId"] == "asked-by-a-proxy"
        secrets += [str(ann.token), str(ann.refresh_token), signed_in["accessToken"], signed_in["refreshToken"]]
        secrets += [stack.environ["SECRET_KEY"], stack.environ["DATABASE_URL"]]
        asking = Celery(broker=stack.environ["REDIS_URL"])
        asking.send_task("operations.answer", ["word"], headers={"requestId": "asked-by-a-job"})
        until(lambda: _named("asked-by-a-job", tmp_path), within_s=30, what="the job's line")  # a worker starts slowly
        until(lambda: _named("asked-by-a-proxy", tmp_path), what="its line")
        assert all({"at", "level", "logger", "message", "pid"} <= line.keys() for line in lines(tmp_path))
        others = [ben.socket() for _ in range(3)]
        stack.webs[0].signal(signal.SIGTERM)
        told = [one.next("system", lambda s: s["kind"] == "restart")["reconnectAfterMs"] for one in (device, *others)]
        assert len(set(told)) == len(told), "each its own moment"
        assert 100 <= min(told) <= max(told) < 400
        until(lambda: _heard(services_of_the_operator) == "restart", what="the end on channel:system-events")
        ann.close()
        ben.close()
    finally:
        stack.stop()
    written = "".join(path.read_text() for path in tmp_path.glob("*.log"))
    assert [secret for secret in secrets if secret in written] == []


def _heard(listener: Any) -> str:
    message = listener.get_message(timeout=0.1)
    return str(json.loads(message["data"])["kind"]) if message else ""


def broken(stack: Stack, device: Socket, ann: Person, room: str) -> None:
    """Have the database refuse what it should not: the failure's line names the request, and the traceback no value."""
    looking = Inside(stack)
    looking.rows("ALTER TABLE message_edits ADD CONSTRAINT planted CHECK (content = '') NOT VALID")
    said = device.ok("message:send", send_body(room, WORDS, str(uuid.uuid4())))["message"]
    ann.until_persisted(room, 2)
    error = device.refused("message:edit", {"messageId": said["id"], "content": f"{WORDS} again"})
    assert error["code"] == "internal"
    found = until(
        lambda: [one for one in lines(stack.folder) if one.get("requestId") == error["requestId"] and "error" in one],
        what="the failure's line",
    )
    assert "planted" in found[0]["error"]  # type: ignore[index]
    status = ann.refused("PATCH", f"/messages/{said['id']}", {"content": f"{WORDS} again"})
    assert status[1]["code"] == "internal"
    looking.close()
