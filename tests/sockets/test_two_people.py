"""Two people chat over REST and Socket.IO, on two web processes, in both write modes."""

from __future__ import annotations

from tests.support.clients import Person, send_body
from tests.support.stack import Stack


def test_two_people_on_two_processes_hear_each_other_once_and_in_order(stack: Stack, name: str) -> None:
    ann, ben = Person(stack.urls[0], f"{name}a"), Person(stack.urls[1], f"{name}b")
    direct = ann.direct(ben)
    hers, his = ann.socket(), ben.socket()
    for number in range(20):
        device = hers if number % 2 else his
        device.ok("message:send", send_body(direct, f"line {number}"))
    for device in (hers, his):
        device.next("message", lambda m: m["content"] == "line 19" and m["persisted"])
        heard = sorted(device.messages(direct), key=lambda m: m["seq"])
        assert [m["content"] for m in heard] == [f"line {number}" for number in range(20)]
        assert [m["seq"] for m in heard] == list(range(1, 21))
    ann.close()
    ben.close()
