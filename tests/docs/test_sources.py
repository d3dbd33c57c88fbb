"""docs/sources.md says of everything that the source designs name where it lives, and what it says is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.test_docs import PLACE, has

pytestmark = pytest.mark.fast
ROOT = Path(__file__).parents[2]
NAMED = [
    "get_or_create_conversation", "send_message", "get_conversation_by_username", "get_user_conversations",
    "mark_message_as_read", "update_typing_indicator", "update_user_presence", "get_unread_message_count",
    "cleanup_expired_typing_indicators", "conversations", "messages", "message_read_status", "message_read_receipts",
    "message_typing_indicators", "user_presence", "message_delivery_status", "user:{userId}:room:{roomId}:last_received",
    "room:{roomId}:latest_message_id", "chat:{chatId}:messages:active", "presence:{userId}", "channel:chat-messages",
    "channel:user-presence", "channel:system-events", "conversation:{c}", "receipts:{c}", "typing:{c}", "presence:{c}",
    "customer:{id}:messages", "staff:{userId}:messages", "getRealtimeManager", "subscribeToCustomerMessages",
    "subscribeToStaffMessages", "subscribeToConversation", "subscribeToPresence", "sendTypingIndicator", "markMessageAsRead",
    "updatePresence", "getUnreadCount", "isOnline", "getPresence", "unsubscribe", "unsubscribeAll",
]  # fmt: skip
ROW = re.compile(r"^\| `([^`]+)` \| (.+?) \| (.*?) ?\|$", re.MULTILINE)


def rows() -> dict[str, str]:
    """Give what the page says of each thing: where it is."""
    return {name: where for name, where, _ in ROW.findall((ROOT / "docs/sources.md").read_text())}


def lost(where: str) -> list[str]:
    """List the places that the project does not have; one without any place is lost itself."""
    places = PLACE.findall(where)
    return [f"{file}:{thing}" for file, thing in places if not _is_there(ROOT / file, thing)] or (
        [] if places else [where]
    )


def _is_there(path: Path, thing: str) -> bool:
    return path.exists() and (not thing or has(path, thing))


def literals(name: str) -> list[str]:
    """Cut a key or channel at its variables."""
    return [part for part in re.split(r"\{\w+\}", name) if part not in ("", ":")]


def test_everything_that_the_designs_name_has_its_row() -> None:
    assert sorted(set(NAMED) - rows().keys()) == []


@pytest.mark.parametrize("name", NAMED)
def test_what_a_row_names_is_there(name: str) -> None:
    where = rows()[name]
    assert lost(where) == []
    text = "\n".join((ROOT / file).read_text() for file, _ in PLACE.findall(where))
    if ":" in name:
        kind = name.split(":", maxsplit=1)[0]
        assert all(part in text for part in literals(name)) or f'"{kind}"' in text
    elif "view" in where:
        assert f'"{name}": f"""' in text, "the migration makes it"


def test_a_lost_place_is_found() -> None:
    assert lost("`app/domain/typing.py:nothing`") == ["app/domain/typing.py:nothing"]
    assert lost("`app/static/js/realtime/messaging.js:subscribeToNothing`")
    assert lost("somewhere") == ["somewhere"]
    assert lost("`app/domain/typing.py:indicate`") == []
