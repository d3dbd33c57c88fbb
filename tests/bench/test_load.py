"""What the benchmark counts: a delivery is the first copy that a client gets, and a target stands beside its number."""

from __future__ import annotations

import pytest

from bench import report
from bench.people import Crowd
from bench.work import PARLEY, Load, Sent

pytestmark = pytest.mark.fast
PROVISIONAL = b'42["message",{"content":"~M00000000~words","persisted":false}]'
FINAL = b'42["message",{"content":"~M00000000~words","persisted":true}]'


def test_a_message_that_comes_provisionally_and_again_with_its_position_is_delivered_once() -> None:
    crowd = Crowd(["room"], 3, ["a", "b", "c"], ["ta", "tb", "tc"])
    load = Load(1, PARLEY, crowd, ())
    sender, *others = load.clients
    load.sent.append(Sent(sender, at=1.0, acked_at=1.1))
    for client in load.clients:
        load._heard(client, PROVISIONAL, 1.3)
        load._heard(client, FINAL, 1.6)
    assert load.sent[0].delivered == {client.number: 1.3 for client in others}
    load._heard(others[0], FINAL.replace(b"~M00000000", b"no mark"), 1.7)
    assert load.stray == 0


def test_each_target_stands_in_the_table_beside_what_was_measured() -> None:
    measured = {"messageP95Ms": 12.0, "typingP99Ms": 8.0, "receiptP95Ms": 9.0, "presenceP95Ms": 150.0,
                "presenceMostMs": 220.0, "reconnectMostMs": 90.0, "cores": 0.4}  # fmt: skip
    lines = report.table({"parley behind": {"awareness": [measured]}}).splitlines()
    for name, target in (("message p95", "100"), ("typing p99", "100"), ("receipt p95", "150"),
                         ("presence, slowest", "500"), ("reconnect until ready", "2,000")):  # fmt: skip
        (line,) = [line for line in lines if name in line]
        assert f"(target: below {target})" in line
