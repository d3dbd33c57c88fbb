"""The realtime client as one file, in Node.js and in a page of another origin."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser

from tests.support.clients import Person, send_body
from tests.support.stack import Stack

pytestmark = pytest.mark.parametrize("mode", ["behind"], indirect=True)
ROOT = Path(__file__).parents[2]
METHODS = (
    "subscribeToCustomerMessages", "subscribeToStaffMessages", "subscribeToConversation", "subscribeToPresence",
    "sendTypingIndicator", "markMessageAsRead", "updatePresence", "getUnreadCount", "isOnline", "getPresence",
    "unsubscribe", "unsubscribeAll",
)  # fmt: skip
TALK = """
const { getRealtimeManager } = await import(FILE);
const manager = getRealtimeManager({ url: URL_OF_PARLEY, token: TOKEN });
for (const name of METHODS) if (typeof manager[name] !== "function") throw new Error(`no ${name}`);
const states = [];
let joined;
const joining = new Promise((resolve) => (joined = resolve));
const heard = new Promise((resolve, reject) => {
  const channel = manager.subscribeToConversation(CONVERSATION, {
    onMessage: (message) => message.content === "said to a foreign page" && resolve([message.seq, channel.state]),
    onStatus: (state) => (states.push(state), state === "joined" && joined()),
    onError: reject,
  });
  setTimeout(() => reject(new Error(`nothing heard: ${states}`)), 20000);
});
const unread = await manager.getUnreadCount();
await Promise.race([joining, heard]);
while (!(await SAY()).ok) await new Promise((resolve) => setTimeout(resolve, 500));
const [seq, state] = await heard;
manager.unsubscribeAll();
const told = JSON.stringify({ seq, state, states, unread });
"""


# From version 22 on, Node.js has a WebSocket of its own, as browsers do.
NODE_20 = """
import { createRequire } from "node:module";
globalThis.WebSocket ??= createRequire(ROOT + "/package.json")("ws");
""".replace("ROOT", repr(str(ROOT)))


def program(person: Person, conversation: str, file: str, say: str) -> str:
    """Fill in who talks and where."""
    names = {
        "FILE": repr(file), "URL_OF_PARLEY": repr(person.url), "TOKEN": repr(person.token), "METHODS": str(list(METHODS)),
        "CONVERSATION": repr(conversation), "SAY": say,
    }  # fmt: skip
    text = TALK
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def saying(conversation: str, person: Person) -> str:
    """Words of JavaScript that say something by REST, as the same person."""
    return (
        f"(() => fetch('{person.url}/api/messages/send', {{ method: 'POST', headers: {{ 'Content-Type': 'application/json',"
        f" Authorization: 'Bearer {person.token}' }}, body: JSON.stringify({{ conversationId: '{conversation}',"
        " content: 'said to a foreign page' }) }))"
    )


def test_the_single_file_talks_in_node(stack: Stack, name: str, tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("there is no Node.js here")
    ann = Person(stack.url, name)
    group = ann.group("alone")
    ann.ok("POST", "/messages/send", send_body(group, "before"))
    source = program(ann, group, f"{stack.url}/realtime/parley.js", saying(group, ann))
    (tmp_path / "parley.mjs").write_bytes(requests.get(f"{stack.url}/realtime/parley.js", timeout=10).content)
    (tmp_path / "talk.mjs").write_text(
        NODE_20
        + source.replace(f"'{stack.url}/realtime/parley.js'", "'./parley.mjs'")
        + "console.log(told); process.exit(0);"
    )
    done = subprocess.run(["node", "talk.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert '"state":"joined"' in done.stdout


def test_the_single_file_talks_in_a_page_of_another_origin(
    stack: Stack, name: str, chromium: Browser, elsewhere: str
) -> None:
    ann = Person(stack.url, name)
    group = ann.group("alone")
    page = chromium.new_context().new_page()
    page.goto(elsewhere)
    refused = page.evaluate(
        "(url) => fetch(`${url}/api/me`, { headers: { Authorization: 'Bearer x' } }).then(() => 'read', () => 'refused')",
        stack.url,
    )
    assert refused == "refused", "this origin is not named"
    page.context.close()

    named = stack.url.replace("127.0.0.1", "localhost")  # another origin, and among those that are named by default
    page = chromium.new_context().new_page()
    page.goto(f"{named}/healthz")
    source = program(ann, group, f"{stack.url}/realtime/parley.js", saying(group, ann))
    assert '"state":"joined"' in page.evaluate(f"async () => {{ {source}; return told; }}")
    page.context.close()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """A page of another origin."""
    (tmp_path / "index.html").write_text("<!doctype html><title>Elsewhere</title>")

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_only_named_origins_may_read_what_the_rest_door_answers(stack: Stack, elsewhere: str) -> None:
    own = stack.url.replace("127.0.0.1", "localhost")
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    named = requests.options(f"{stack.url}/api/me", headers={"Origin": own, **asked}, timeout=10)
    assert named.headers["Access-Control-Allow-Origin"] == own
    assert "Authorization" in named.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in named.headers
    other = requests.options(f"{stack.url}/api/me", headers={"Origin": elsewhere, **asked}, timeout=10)
    assert "Access-Control-Allow-Origin" not in other.headers
    assert "Origin" in other.headers["Vary"]
