"""What a client makes of the events it hears, by the rules of the contract's sections 3 and 6, as simply as can be."""

from __future__ import annotations

from typing import Any

from tests.support.clients import Event, Person, Socket


class View:
    """One member's view of one conversation."""

    def __init__(self, conversation_id: str, items: list[Event] = (), position: int = 0) -> None:  # type: ignore[assignment]
        self.conversation_id = conversation_id
        self.messages: dict[str, Event] = {}
        self.position = position
        for item in items:
            self.apply(item)
        self.position = max(self.position, position)

    @classmethod
    def fresh(cls, person: Person, conversation_id: str) -> View:
        """Load all of it anew, by history."""
        items: list[Event] = []
        query: dict[str, Any] = {}
        while True:
            page = person.ok("GET", f"/conversations/{conversation_id}/messages", params={"limit": 200, **query})
            items = page["items"] + items
            if not page["hasBefore"]:
                return cls(conversation_id, [item for item in items if item["persisted"]], page["upToSeq"])
            query = {"before": page["items"][0]["seq"]}

    def apply(self, event: Event) -> None:
        """Apply an event; a repeat, and what is older than what is known, changes nothing."""
        if event["conversationId"] != self.conversation_id:
            return
        known = self.messages.get(event["id"])
        if not event["persisted"]:
            if known is None:
                self.messages[event["id"]] = dict(event)
            return
        if known is None or not known["persisted"] or known["changedSeq"] < event["changedSeq"]:
            self.messages[event["id"]] = dict(event)
        self._count(event)
        self.position = max(self.position, event["changedSeq"])

    def _count(self, event: Event) -> None:
        """A reply's creation and its end share their position with the root's new count; other changes do not."""
        root = self.messages.get(event["threadRootId"] or "")
        is_counted = event["seq"] == event["changedSeq"] or event["deletedAt"]
        if root is not None and is_counted and root["changedSeq"] < event["changedSeq"]:
            root.update(replyCount=event["rootReplyCount"], changedSeq=event["changedSeq"])

    def hear(self, device: Socket) -> View:
        """Apply everything that a device has heard."""
        for name, data in list(device.events):
            if name in ("message", "message:changed"):
                self.apply(data)
            elif name == "message:withdrawn":
                self.messages.pop(data["id"], None)
        return self

    @property
    def shown(self) -> list[Event]:
        """The messages in the order of the screen."""
        return sorted(self.messages.values(), key=lambda event: (event["seq"] is None, event["seq"] or 0))
