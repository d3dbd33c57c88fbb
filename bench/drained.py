"""One drain at a time, when told to: `python -m bench.drained ROOM:PERSON …` reads lines and prints milliseconds.

It drains into the database directly: what it measures is the batch, not who waits for whom.
"""

from __future__ import annotations

import sys
import time
import uuid

from app.domain import commit
from app.domain.batches import Submission
from app.factory import create_app
from app.kernel import clock, ids
from app.kernel.events import MessageEvent
from config import load_config

BATCH = 500


def main() -> None:
    """Commit a batch for each line that is read."""
    create_app(load_config())
    pairs = [tuple(given.split(":")) for given in sys.argv[1:]]
    for _ in sys.stdin:
        batch = [Submission(_event(*pairs[number % len(pairs)])) for number in range(BATCH)]
        began = time.perf_counter()
        commit.apply(batch)
        print((time.perf_counter() - began) * 1000, flush=True)


def _event(room: str, person: str) -> MessageEvent:
    given = uuid.uuid4()
    return {
        "id": str(ids.message_id(uuid.UUID(person), given)), "conversationId": room, "seq": None, "changedSeq": None,
        "clientMessageId": str(given), "content": "a line that is drained", "messageType": "text", "senderType": "user",
        "senderId": person, "sender": {"id": person, "username": None, "displayName": "", "avatarUrl": None},
        "createdAt": clock.wire(clock.now()), "isEdited": False, "editedAt": None, "deletedAt": None, "replyToId": None,
        "threadRootId": None, "replyCount": 0, "rootReplyCount": None, "attachments": [], "reactions": [], "mentions": [],
        "metadata": {}, "persisted": False,
    }  # fmt: skip


if __name__ == "__main__":
    main()
