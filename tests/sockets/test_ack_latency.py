"""An ack is sent at once, also right behind an event to the same client."""

from __future__ import annotations

import time

from tests.support.clients import Person, send_body
from tests.support.stack import Stack

NAGLE_S = 0.035  # held back for the other side's delayed confirmation, no ack comes faster than 40 ms


def test_an_ack_behind_an_event_is_not_held_back(stack: Stack, name: str) -> None:
    ann, ben = Person(stack.url, f"{name}a"), Person(stack.urls[1], f"{name}b")
    direct, device = ann.direct(ben), ann.socket()
    took = []
    for number in range(30):
        started = time.monotonic()
        device.ok("message:send", send_body(direct, f"line {number}"))
        took.append(time.monotonic() - started)
    assert min(took) < NAGLE_S, f"the fastest of 30 acks took {min(took) * 1000:.0f} ms"
    ann.close()
    ben.close()
