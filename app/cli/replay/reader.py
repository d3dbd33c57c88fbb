"""Someone who comes late: joins the room and pages through all of it, each way that there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.cli.replay.account import Account
from app.cli.replay.device import Device

PAGE = 200
Event = dict[str, Any]


def history(account: Account, conversation_id: str) -> list[Event]:
    """Scroll from the newest page up to the beginning; gives what is then on the screen, in order."""
    found: list[Event] = []
    before: dict[str, int] = {}
    while True:
        page = account.call("GET", f"/conversations/{conversation_id}/messages", params={"limit": PAGE, **before})
        found = page["items"] + found
        if not page["hasBefore"] or not page["items"]:
            return found
        before = {"before": page["items"][0]["seq"]}


def rejoin(account: Account, conversation_id: str) -> list[Event]:
    """Catch up from 0 over REST; gives the messages by ``seq``."""
    path = f"/rooms/{conversation_id}/rejoin"
    return _catch_up(lambda after: account.call("GET", path, params={"after": after, "limit": PAGE}))


def sync(account: Account, urls: Sequence[str], conversation_id: str) -> list[Event]:
    """Catch up from 0 over the socket; gives the messages by ``seq``."""
    device = Device(account, urls, lambda *_: None)
    try:
        device.ensure()
        asked = {"conversationId": conversation_id, "limit": PAGE}
        return _catch_up(lambda after: device.ask("sync", {**asked, "after": after}))
    finally:
        device.drop()


def _catch_up(ask: Callable[[int], Any]) -> list[Event]:
    """Page on by ``upToSeq``. Every copy that comes is kept: nothing changes meanwhile, so each may come only once."""
    found: list[Event] = []
    after, more = 0, True
    while more:
        missed = ask(after)
        found += missed["messages"]
        after, more = missed["upToSeq"], missed["hasMore"]
    return sorted(found, key=lambda event: int(event["seq"]))
