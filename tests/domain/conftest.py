"""The application in this very process, on a database and Redis numbers of its own, with nothing else running on them."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from flask import Flask

from app.domain import drain
from app.extensions import LOG
from app.factory import create_app
from config import load_config
from tests.support.clients import PASSWORD, send_body
from tests.support.inside import Inside
from tests.support.stack import Stack


class Aside:
    """Accepts and drains only when it is told to; ``emitted`` collects what the other processes would hear."""

    def __init__(self, stack: Stack) -> None:
        self.inside = Inside(stack)
        self.app: Flask = create_app(load_config(stack.environ))
        self.client = self.app.test_client()
        self._listener = self.inside.cache.pubsub(ignore_subscribe_messages=True)
        self._listener.subscribe(self.inside.channel("parley:emits"))
        self._listener.get_message(timeout=5)
        word = "a" + uuid.uuid4().hex[:10]
        self.ann, self.ben = self._register(f"{word}-ann"), self._register(f"{word}-ben")

    def _register(self, username: str) -> dict[str, str]:
        body = {"username": username, "email": f"{username}@example.org", "password": PASSWORD}
        data = self.client.post("/api/auth/register", json=body).get_json()["data"]
        return {"id": data["user"]["id"], "username": username, "token": data["accessToken"]}

    def call(self, who: dict[str, str], method: str, path: str, body: Any = None) -> Any:
        """Make a call below /api that must succeed."""
        headers = {"Authorization": f"Bearer {who['token']}"}
        answer = self.client.open(f"/api{path}", method=method, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.get_json()["data"]

    def room(self, slug: str) -> str:
        """Make a room of Ann's and Ben's."""
        body = {"kind": "room", "slug": slug, "title": slug, "members": [self.ben["username"]]}
        return str(self.call(self.ann, "POST", "/conversations", body)["conversation"]["id"])

    def accept(self, room: str, content: str, who: dict[str, str] | None = None) -> dict[str, Any]:
        """Accept a message into the log; nobody drains it yet."""
        sent = self.call(who or self.ann, "POST", "/messages/send", send_body(room, content))["message"]
        assert not sent["persisted"]
        return dict(sent)

    def history(self, room: str) -> list[dict[str, Any]]:
        """Read the newest page."""
        return list(self.call(self.ann, "GET", f"/conversations/{room}/messages")["items"])

    def drain(self) -> None:
        """Drain all there is, once the log can be asked: another test may have lost it in this very process a moment ago."""
        deadline = time.monotonic() + 5
        while LOG.is_open and time.monotonic() < deadline:
            time.sleep(0.1)
        drain.drain_all(at_most_s=20)

    def log_length(self) -> int:
        """Count what waits in the log."""
        return int(self.inside.log.xlen("messages:log"))

    def emitted(self, conversation_id: str) -> list[tuple[str, Any]]:
        """List what was emitted about a conversation since the last call."""
        return self.emitted_to(f"conversation:{conversation_id}")

    def emitted_to(self, room: str) -> list[tuple[str, Any]]:
        """List what was emitted to a room since anything was asked last."""
        return [(event, body) for rooms, event, body in self._emitted() if room in rooms]

    def emitted_of_any(self) -> list[tuple[str, Any]]:
        """List all that was emitted since anything was asked last."""
        return [(event, body) for _, event, body in self._emitted()]

    def _emitted(self) -> Iterator[tuple[list[str], str, Any]]:
        while (heard := self._listener.get_message(timeout=0.05)) is not None:
            for event, to, _, packet in orjson.loads(heard["data"])["emits"]:
                yield to if isinstance(to, list) else [to], event, orjson.loads(packet[1:])[1]

    def close(self) -> None:
        """Hang up."""
        self._listener.close()
        self.inside.close()


@pytest.fixture(scope="module")
def aside(services: dict[str, str], template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aside]:
    """The application in this process, behind, with nobody draining."""
    application = Aside(Stack.make(services, template, "behind", tmp_path_factory.mktemp("aside")))
    yield application
    application.close()


def at_once(*jobs: Any) -> None:
    """Run jobs at the same moment, and raise what any of them raised."""
    failures: list[BaseException] = []
    barrier = threading.Barrier(len(jobs))

    def run(job: Any) -> None:
        try:
            barrier.wait()
            job()
        except BaseException as error:  # noqa: BLE001  (raised again below)
            failures.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
