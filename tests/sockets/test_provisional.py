"""While the database is slow: what is accepted is shown as provisional, and the final follows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.cast import Cast
from tests.support.doors import RestDoor, SocketDoor, committed, pour
from tests.support.inside import Inside
from tests.support.stack import until


@pytest.fixture
def behind(mode: str) -> None:
    if mode == "through":
        pytest.skip("through accepts nothing that is not committed")


@pytest.mark.usefixtures("behind")
def test_what_the_database_is_slow_to_take_is_shown_first_and_becomes_final(
    cast: Cast, name: str, inside: Inside
) -> None:
    hers, his, outsider = cast.device(cast.ann), cast.device(cast.ben), cast.device(cast.dan)
    room = cast.room(name, cast.ben)
    with inside.held(room):
        acked = [SocketDoor(cast.ann, hers).send(room, f"slow {n}") for n in range(3)]
        for device in (his, hers):
            for message in acked:
                shown = device.next("message", lambda m, wanted=message["id"]: m["id"] == wanted)
                assert (shown["persisted"], shown["seq"], shown["changedSeq"]) == (False, None, None)
                assert shown == message
    for device in (his, hers):
        finals = [device.next("message", lambda m, w=a["id"]: m["id"] == w and m["persisted"]) for a in acked]
        assert [m["seq"] for m in finals] == [1, 2, 3]
        assert finals == cast.ben.history(room)
        heard = device.heard("message", lambda m: m["conversationId"] == room)
        first_final = {m["id"]: heard.index(m) for m in finals}
        assert all(heard.index(m) < first_final[m["id"]] for m in heard if not m["persisted"]), (
            "one came after its final"
        )
    assert not outsider.heard("message", lambda m: m["conversationId"] == room)


@pytest.mark.usefixtures("behind")
def test_a_slow_database_keeps_the_order_of_what_waits(cast: Cast, name: str, inside: Inside) -> None:
    device = cast.device(cast.ann)
    room = cast.room(name, cast.ben)
    with inside.held(room):
        pour(device, room, [f"line {n}" for n in range(20)])
        tail = cast.ben.history(room)
        assert [(m["content"], m["persisted"]) for m in tail] == [(f"line {n}", False) for n in range(20)]
    finals = cast.ben.until_persisted(room, 20)
    assert [m["content"] for m in finals] == [f"line {n}" for n in range(20)]
    assert [m["seq"] for m in finals] == list(range(1, 21))


@pytest.mark.usefixtures("behind")
def test_a_retry_of_what_waits_gives_the_first_copy(cast: Cast, name: str, inside: Inside) -> None:
    room = cast.room(name, cast.ben)
    with inside.held(room):
        acked = RestDoor(cast.ann).send(room, "first words")
        again = RestDoor(cast.ann).send(room, "other words", acked["clientMessageId"])
        assert again == acked
    assert committed(cast.ben, acked["id"])["content"] == "first words"
    assert len(cast.ben.history(room)) == 1


def test_through_acks_only_when_the_database_has_taken_it(cast: Cast, name: str, mode: str, inside: Inside) -> None:
    if mode == "behind":
        pytest.skip("behind acks at once")
    device = cast.device(cast.ben)
    room = cast.room(name, cast.ben)
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with ThreadPoolExecutor(1) as pool:
        with inside.held(room):
            sending = pool.submit(RestDoor(cast.ann).send, room, "slow")
            until(lambda: inside.rows(waiting), what="the send waiting for the row")
            assert not sending.done()
            assert cast.ben.history(room) == []
        acked = sending.result(20)
    assert (acked["persisted"], acked["seq"]) == (True, 1)
    assert device.next("message", lambda m: m["id"] == acked["id"]) == acked
    assert device.heard("message", lambda m: m["conversationId"] == room and not m["persisted"]) == []
