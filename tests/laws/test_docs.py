"""The docs name everything that a client or an operator can meet; the reference is read wherever it is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.api.endpoint import CALLS
from app.kernel.errors import DomainError
from app.sockets.events import EVENTS

pytestmark = pytest.mark.fast
ROOT = Path(__file__).parents[2]
PARAMETER = re.compile(r"<(?:path:)?\w+>")
SERVER_EVENTS = re.compile(r'emit\(\s*"([a-z:]+)"')


def _docs() -> str:
    return "\n".join(path.read_text() for path in sorted((ROOT / "docs").rglob("*.md")))


def missing(names: set[str], docs: str) -> list[str]:
    """List the names that the docs do not have in code style."""
    code = "\n".join(re.findall(r"`([^`\n]+)`", docs) + re.findall(r"^```.*?^```", docs, re.MULTILINE | re.DOTALL))
    return sorted(name for name in names if not re.search(rf"(?<![\w/]){re.escape(name)}(?![\w:/{{])", code))


def _reference(first: str) -> str:
    docs = _docs()
    if missing({first}, docs):
        pytest.skip(f"the docs have no reference with {first} yet")
    return docs


def codes() -> set[str]:
    """List the error codes of the contract, and the one for what should not happen."""

    def below(kind: type[DomainError]) -> set[str]:
        return {kind.code} | {code for each in kind.__subclasses__() for code in below(each)}

    return (below(DomainError) - {"error"}) | {"internal"}


def calls() -> set[str]:
    """List the REST calls as ``METHOD /path/{name}``."""
    return {f"{call.method} /api{PARAMETER.sub('{}', call.rule)}" for call in CALLS}


def server_events() -> set[str]:
    """List the names of the events that the server emits."""
    sources = [*(ROOT / "app/outbound").glob("*.py"), ROOT / "app/sockets/connections.py"]
    return {name for path in sources for name in SERVER_EVENTS.findall(path.read_text())}


def test_every_error_code_is_documented() -> None:
    assert missing(codes(), _reference("out_of_order")) == []


def test_every_event_is_documented() -> None:
    assert {"message", "message:changed", "heads", "ready"} <= server_events()
    assert missing(set(EVENTS) | server_events(), _reference("message:send")) == []


def test_every_rest_call_is_documented() -> None:
    docs = re.sub(r"\{\w+\}", "{}", _reference("POST /api/messages/send"))
    assert missing(calls(), docs) == []


def test_a_missing_name_is_found() -> None:
    docs = "`message:send` and `POST /api/messages/send` {…}, `rate_limited`; not in code: conflict"
    assert missing({"message:send", "rate_limited"}, docs) == []
    assert missing({"message"}, docs) == ["message"]
    assert missing({"conflict", "limited"}, docs) == ["conflict", "limited"]
