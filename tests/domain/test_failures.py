"""What did not reach somebody is kept with its reason and told to the sender, once."""

from __future__ import annotations

from uuid import UUID

from app.domain import failures
from app.kernel import clock
from tests.domain.conftest import Aside


def test_a_failure_is_kept_and_told_to_the_sender_once(aside: Aside, name: str) -> None:
    room = aside.room(name)
    said = [aside.accept(room, f"line {n}") for n in range(2)]
    own = aside.accept(room, "my own", aside.ben)
    aside.drain()
    aside.emitted(room)

    def fail(path: failures.Path, reason: str) -> int:
        ids = [UUID(message["id"]) for message in [*said, own]]
        return failures.failed(
            recipient_id=UUID(aside.ben["id"]), message_ids=ids, path=path, reason=reason, now=clock.now()
        )

    assert fail("mail", "The mailbox does not exist.") == 2, "nobody fails to get the own message"
    told = aside.emitted_to(f"user:{aside.ann['id']}")
    assert [event for event, _ in told] == ["delivery", "delivery"]
    assert told[0][1] == {
        "messageId": said[0]["id"],
        "conversationId": room,
        "recipientType": "user",
        "recipientId": aside.ben["id"],
        "status": "failed",
        "deliveredAt": None,
        "readAt": None,
        "failedReason": "The mailbox does not exist.",
        "upToSeq": 1,
    }
    assert fail("mail", "Again.") == 0
    assert aside.emitted_to(f"user:{aside.ann['id']}") == []
    assert fail("push", "x" * 1000) == 2
    statement = "SELECT path, char_length(reason) FROM delivery_failures WHERE message_id = %s ORDER BY path"
    assert aside.inside.rows(statement, said[0]["id"]) == [("mail", 27), ("push", 200)]


def test_who_writes_to_somebody_that_is_gone_hears_so_once(aside: Aside) -> None:
    cat = aside._register("cat-" + aside.ben["username"])
    direct = aside.call(aside.ann, "POST", "/conversations", {"kind": "direct", "username": cat["username"]})[
        "conversation"
    ]["id"]
    aside.accept(direct, "still here")
    aside.drain()
    aside.inside.rows("UPDATE profiles SET disabled_at = clock_timestamp() WHERE id = %s", cat["id"])
    unread = aside.accept(direct, "are you there?")
    aside.drain()
    aside.emitted(direct)
    assert failures.fail_gone(now=clock.now()) == 1
    told = [d for event, d in aside.emitted_to(f"user:{aside.ann['id']}") if event == "delivery"]
    assert [(d["messageId"], d["recipientId"], d["status"]) for d in told] == [(unread["id"], cat["id"], "failed")]
    assert "account" in told[0]["failedReason"]
    assert failures.fail_gone(now=clock.now()) == 0
