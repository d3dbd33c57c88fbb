"""The description is true: schemathesis finds no 5xx and no undocumented answer; and the page made of it needs nothing else."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests

from app.api.description import describe
from app.api.endpoint import CALLS, Call
from app.api.shapes import SHAPES
from tests.support.clients import Person, send_body
from tests.support.modes import one_mode
from tests.support.stack import Stack

pytestmark = one_mode
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "negative_data_rejection",
)  # fmt: skip
CI_SEED = "20261121"  # CI judges a change, not the chance of a seed; every other run takes a new one
SECONDS = 25


def path_of(call: Call) -> str:
    """Write a call's path as OpenAPI does."""
    return "/api" + re.sub(r"<(?:path:)?(\w+)>", r"{\1}", call.rule)


def with_known_ids(whole: dict[str, Any], known: dict[str, list[str]]) -> dict[str, Any]:
    """Let generated calls name what is really there, half of the time."""
    for operations in whole["paths"].values():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if parameter["name"] in known:
                    choices = [{"type": "string", "enum": known[parameter["name"]]}, parameter["schema"]]
                    parameter["schema"] = {"anyOf": choices}
    for schema in whole["components"]["schemas"].values():
        for name, part in schema.get("properties", {}).items():
            if name in known and "additionalProperties" in schema and "anyOf" in part:
                part["anyOf"].insert(0, {"type": "string", "enum": known[name]})
    return whole


def explore(url: str, whole: dict[str, Any], token: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run schemathesis for a while; its output names the seed and how to repeat a failing call."""
    path = folder / "openapi.json"
    path.write_text(json.dumps(whole))
    seed = os.environ.get("SCHEMATHESIS_SEED") or (CI_SEED if os.environ.get("CI") else str(secrets.randbelow(2**31)))
    command = [
        str(Path(sys.executable).with_name("st")), "run", str(path), "--url", url, "-H", f"Authorization: Bearer {token}",
        "--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing", "--max-time", str(SECONDS), "-n", "8", "--seed", seed,
        "--exclude-path", "/api/auth/logout", "--continue-on-failure", "--no-shrink", "--no-color", "--warnings", "off",
        "--suppress-health-check", "all",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=SECONDS + 60)
    print(f"seed {seed}", done.stdout[-30_000:], done.stderr[-2000:])
    return done


@pytest.mark.slow
def test_no_answer_is_undocumented(stack: Stack, tmp_path: Path) -> None:
    word = "d" + uuid.uuid4().hex[:10]
    ann, ben = Person(stack.url, f"{word}a"), Person(stack.url, f"{word}b")
    rooms = [ann.room(f"{word}-{number}", ben) for number in range(3)]
    groups = [ann.group("Ours", ben), ben.group("Theirs", ann), ben.group("Hidden")]
    sent = [ann.ok("POST", "/messages/send", send_body(c, "hello"))["message"]["id"] for c in [*rooms, groups[0]]]
    reply = ann.ok("POST", "/messages/send", send_body(groups[0], "a reply", replyToId=sent[-1]))["message"]["id"]
    ann.ok("GET", f"/messages/{reply}")
    ann.ok("PUT", f"/messages/{sent[-1]}/reactions/x")
    known = {
        "room": [*rooms, *groups, f"{word}-0"], "roomId": rooms, "conversationId": [*rooms, *groups],
        "message_id": [*sent, reply], "messageId": sent, "replyToId": sent, "username": [ben.username],
        "profile_id": [ben.id], "recipientUsername": [ben.username], "ids": [ben.id],
    }  # fmt: skip
    whole = requests.get(f"{stack.url}/api/openapi.json", timeout=20).json()
    done = explore(stack.url, with_known_ids(whole, known), str(ann.token), tmp_path)
    assert done.returncode == 0
    assert ann.ok("GET", "/me")


def test_the_description_holds_every_call_and_names_every_shape() -> None:
    whole = describe()
    described = {f"{method.upper()} {path}" for path, operations in whole["paths"].items() for method in operations}
    assert described == {f"{call.method} {path_of(call)}" for call in CALLS}
    refs = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(whole)))
    assert refs <= set(whole["components"]["schemas"])
    assert '"data": {"type": "object"}' not in json.dumps(whole["paths"])


def test_the_page_of_the_description_needs_nothing_from_elsewhere(stack: Stack) -> None:
    page = requests.get(f"{stack.url}/api/docs", timeout=20)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "<script" not in page.text
    assert re.findall(r"(?:src|href)=\"(https?:)?//", page.text) == []
    styles = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page.text)
    assert [requests.get(stack.url + style, timeout=20).status_code for style in styles] == [200]
    for call in CALLS:
        assert f"<b>{call.method}</b> {path_of(call)}" in page.text


@pytest.mark.fast
def test_no_answer_has_the_name_of_a_body() -> None:
    bodies = {call.body.__name__ for call in CALLS if call.body is not None}
    assert bodies & SHAPES.keys() == set(), "one would stand in the description for both"
