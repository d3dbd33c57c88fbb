"""The words of the wire and of the database in those of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.model.system import Message, Snapshot

ROWS = """
    SELECT c.id::text, c.head_seq, m.id::text, m.sender_id::text, m.content, m.reply_to_id::text, m.seq,
           m.changed_seq, m.edited_at, m.deleted_at, m.reply_count,
           ARRAY(SELECT r.emoji || ':' || r.profile_id FROM reactions r WHERE r.message_id = m.id) AS reactions
    FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id WHERE c.id = ANY(%s::uuid[])
"""


@dataclass
class Wording:
    """The model's names, by the real ids of conversations, people and messages."""

    conversations: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)

    def message(self, body: Mapping[str, Any]) -> Message:
        """Read a MessageEvent."""
        marks = [f"{r['emoji']}:{self.people[who]}" for r in body["reactions"] for who in r["reactorIds"]]
        return Message(
            id=self.messages[body["id"]],
            conversation=self.conversations[body["conversationId"]],
            sender=self.people[body["senderId"]],
            content=body["content"],
            reply_to=self.messages[body["replyToId"]] if body["replyToId"] else None,
            seq=body["seq"],
            changed_seq=body["changedSeq"] or 0,
            edited=body["isEdited"],
            deleted=body["deletedAt"] is not None,
            reactions=frozenset(marks),
            reply_count=body["replyCount"],
            root_reply_count=body["rootReplyCount"],
        )

    def snapshots(self, found: list[Any]) -> dict[str, Snapshot]:
        """Read what `ROWS` gave, by conversation."""
        rows: dict[str, dict[str, Message]] = {name: {} for name in self.conversations.values()}
        heads = dict.fromkeys(rows, 0)
        for row in found:
            name = self.conversations[row[0]]
            heads[name] = row[1]
            if row[2] is not None:
                message = self.row(row)
                rows[name][message.id] = message
        return {name: Snapshot(heads[name], rows[name]) for name in rows}

    def row(self, found: Any) -> Message:
        """Read a row of `ROWS`."""
        room, _, own, sender, content, reply_to, seq, changed_seq, edited_at, deleted_at, replies, reactions = found
        marks = [mark.rpartition(":") for mark in reactions]
        return Message(
            id=self.messages[own],
            conversation=self.conversations[room],
            sender=self.people[sender],
            content=content,
            reply_to=self.messages[reply_to] if reply_to else None,
            seq=seq,
            changed_seq=changed_seq,
            edited=edited_at is not None,
            deleted=deleted_at is not None,
            reactions=frozenset(f"{emoji}:{self.people[who]}" for emoji, _, who in marks),
            reply_count=replies,
        )
