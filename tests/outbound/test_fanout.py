"""What travels between processes: to those who have a member of the conversation, and to them whole."""

from __future__ import annotations

import contextlib
import random
import shutil
import socket as sockets
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
import redis as redis_py

from app.extensions import CACHE, redis
from app.kernel import settings as kernel_settings
from app.outbound import delivering, ear, fanout
from app.outbound.fanout import FanoutManager
from config import load_config
from tests.support.proxy import Proxy, proxies
from tests.support.stack import free_port, until

Event = tuple[str, Any]
SERVER = shutil.which("redis-server")


class Process:
    """What a web process has of the fan-out: a manager that listens, and sockets that remember what was written to them."""

    def __init__(self) -> None:
        self.manager = FanoutManager()
        self.carried: list[bytes] = []  # what Redis sent, but for notices and what all hear
        self.regained = 0
        sockets: dict[str, Any] = {}
        eio = SimpleNamespace(sockets=sockets, generate_id=lambda: uuid.uuid4().hex)
        self.manager.set_server(SimpleNamespace(eio=eio, packet_class=SimpleNamespace(json=None)))
        self.manager.ear.on_listening = self._note
        take_in = self.manager._take_in

        def hear(heard: Sequence[ear.Heard]) -> Iterator[bytes]:
            self.carried += [data for _, data in heard]
            return take_in(heard)

        self.manager._take_in = hear
        self._sockets = sockets
        self._listening = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        with contextlib.suppress(SystemExit):
            list(self.manager._listen())

    def _note(self) -> None:
        self.regained += 1

    def start(self) -> Process:
        self._listening.start()
        until(lambda: self.regained, what="the ear")
        return self

    def stop(self) -> None:
        def end() -> Any:
            raise SystemExit

        self.manager.ear.listen = end
        connection = self.manager.ear._connection
        if connection is not None:
            connection._sock.shutdown(sockets.SHUT_RDWR)
        self._listening.join(5)

    def socket(self, *rooms: str) -> Socket:
        socket = Socket(self, self.manager.connect(uuid.uuid4().hex, "/"))
        self._sockets[self.manager.eio_sid_from_sid(socket.sid, "/")] = socket
        for room in rooms:
            socket.enter(room)
        return socket

    def say(self, room: str | list[str], number: int = 0) -> None:
        self.manager.emit("said", {"number": number}, namespace="/", room=room)


class Socket:
    """A client's socket; ``numbers`` is what it was told."""

    def __init__(self, process: Process, sid: str) -> None:
        self.process, self.sid, self.closed = process, sid, False
        self.numbers: list[int] = []
        self.pieces = 0

    def send_piece(self, piece: Any) -> None:
        self.pieces += 1
        self.numbers += [orjson.loads(packet.data[1:])[1]["number"] for packet in piece]

    def enter(self, room: str) -> None:
        self.process.manager.enter_room(self.sid, "/", room)

    def leave(self, room: str) -> None:
        self.process.manager.leave_room(self.sid, "/", room)


@pytest.fixture(scope="module", params=["as given", "of this machine"])
def url(request: pytest.FixtureRequest, services: dict[str, str], tmp_path_factory: Any) -> Iterator[str]:
    """Two servers: one of them has no sharded channels, the other has, where this machine has Redis 7."""
    if request.param == "as given":
        yield services["REDIS_URL"]
        return
    if SERVER is None:
        pytest.skip("no redis-server on PATH")
    port, folder = free_port(), Path(tmp_path_factory.mktemp("redis"))
    command = [SERVER, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    found = f"redis://127.0.0.1:{port}/0"
    until(lambda: _answers(found), what="Redis")
    yield found
    server.kill()
    server.wait()


def _answers(url: str) -> bool:
    try:
        return bool(redis_py.Redis.from_url(url).ping())
    except redis_py.RedisError:
        return False


@pytest.fixture
def wire(url: str) -> Iterator[Proxy]:
    """The way to Redis of every process, and their settings."""
    kept = (redis.url, redis.log_url, redis._cache, redis._log, redis.timeout_s)
    kernel_settings.use(load_config({"DATABASE_URL": "postgresql://nowhere", "SECRET_KEY": "k" * 40}))
    CACHE.succeeded()
    with proxies() as make:
        proxy = make(url)
        redis.bind(proxy.address(url), None, timeout_s=2)
        yield proxy
    redis.url, redis.log_url, redis._cache, redis._log, redis.timeout_s = kept
    CACHE.succeeded()


@pytest.fixture
def started(wire: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Process]]:
    """Starts processes."""
    monkeypatch.setattr(fanout, "BACK_OFF_S", 0.02)
    processes: list[Process] = []

    def start() -> Process:
        processes.append(Process())
        return processes[-1].start()

    yield start
    for process in processes:
        process.stop()
    monkeypatch.undo()


def _room() -> str:
    return f"conversation:{uuid.uuid4()}"


def _settled(*processes: Process) -> None:
    for process in processes:
        assert process.manager.ear.until_heard()


def test_a_process_without_a_member_is_sent_nothing_of_a_conversation(started: Callable[[], Process]) -> None:
    speaking, here, elsewhere = started(), started(), started()
    busy, quiet = _room(), _room()
    member, other = here.socket(busy), elsewhere.socket(quiet)
    _settled(here, elsewhere)
    with speaking.manager.together():
        for number in range(500):
            speaking.say(busy, number)
        speaking.say(quiet, 7)
    until(lambda: len(member.numbers) == 500 and other.numbers, what="all that was said")
    assert member.numbers == list(range(500))
    assert other.numbers == [7]
    assert [len(orjson.loads(data.split(b"\n")[0])["emits"]) for data in elsewhere.carried] == [1]
    assert [len(orjson.loads(data.split(b"\n")[0])["emits"]) for data in here.carried] == [500]


def test_all_rooms_of_a_conversation_are_heard_together_and_people_apart(started: Callable[[], Process]) -> None:
    speaking, here = started(), started()
    conversation, person = uuid.uuid4(), uuid.uuid4()
    socket = here.socket(f"conversation:{conversation}", f"typing:{conversation}", f"user:{person}")
    _settled(here)
    socket.leave(f"conversation:{conversation}")
    for number, room in enumerate([f"typing:{conversation}", f"user:{person}", f"user:{uuid.uuid4()}"]):
        speaking.say(room, number)
    until(lambda: socket.numbers == [0, 1], what="both")
    assert len(here.carried) == 2


@pytest.mark.parametrize("count", [2, 5, 40])
def test_an_event_to_several_rooms_reaches_each_socket_once(started: Callable[[], Process], count: int) -> None:
    speaking, here, elsewhere = started(), started(), started()
    rooms = [f"presence:{uuid.uuid4()}" for _ in range(count)]
    everywhere, one, nobody = here.socket(*rooms), here.socket(rooms[-1]), elsewhere.socket(_room())
    _settled(here, elsewhere)
    for number in range(20):
        speaking.say(rooms, number)
    speaking.say(rooms[0], 20)
    until(lambda: 20 in everywhere.numbers and 19 in one.numbers, what="the last")
    assert everywhere.numbers == list(range(21))
    assert one.numbers == list(range(20))
    assert nobody.numbers == []
    if count < 10:
        assert elsewhere.carried == []


def _batch(rooms: Sequence[str], numbers: Sequence[int], *, size: int = 1) -> list[tuple[dict[str, Any], bytes, str]]:
    bodies = [{"number": number, "filler": "x" * size} for number in numbers]
    return [(body, orjson.dumps(body), rooms[body["number"] % len(rooms)]) for body in bodies]


def test_a_batch_is_one_write_a_room_to_each_socket_here_and_elsewhere(started: Callable[[], Process]) -> None:
    speaking, elsewhere = started(), started()
    rooms = [_room(), _room()]
    here, there, one = speaking.socket(*rooms), elsewhere.socket(*rooms), elsewhere.socket(rooms[1])
    _settled(speaking, elsewhere)
    with speaking.manager.together():
        speaking.manager.emit_encoded("message", _batch(rooms, range(40)))
    assert here.pieces == 2
    until(lambda: len(there.numbers) == 40 and len(one.numbers) == 20, what="the batch")
    for socket in (here, there):
        assert [number for number in socket.numbers if number % 2] == list(range(1, 40, 2))
        assert [number for number in socket.numbers if not number % 2] == list(range(0, 40, 2))
    assert one.numbers == list(range(1, 40, 2))
    assert (there.pieces, one.pieces) == (2, 1)


def test_who_is_not_meant_by_some_of_a_batch_gets_the_rest_in_order(started: Callable[[], Process]) -> None:
    process = started()
    room = _room()
    old, new = process.socket(room), process.socket(room)
    process.manager.not_meant = lambda _, about: [new.sid] if about["seq"] in (0, 1, 5) else []
    bodies = [{"number": number, "seq": number} for number in range(8)]
    process.manager.emit_encoded("message", [(body, orjson.dumps(body), room) for body in bodies])
    assert old.numbers == list(range(8))
    assert new.numbers == [2, 3, 4, 6, 7]


def test_a_socket_that_fails_keeps_nobody_from_hearing(
    started: Callable[[], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = started()
    rooms = [_room(), _room()]
    ending, other, last = process.socket(rooms[0]), process.socket(rooms[0]), process.socket(rooms[1])
    monkeypatch.setattr(ending, "send_piece", lambda _: 1 / 0)
    process.manager.emit_encoded("message", _batch(rooms, range(4)))
    assert (other.numbers, last.numbers) == ([0, 2], [1, 3])


def test_in_a_large_fan_out_others_have_a_turn_between_rooms(
    started: Callable[[], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = started()
    rooms = [_room() for _ in range(5)]
    members = [[process.socket(room) for _ in range(40)] for room in rooms]
    turns: list[list[int]] = []

    def give_way(seconds: float) -> None:
        assert seconds == 0
        turns.append([sum(len(one.numbers) for one in those) for those in members])
        members[4][0].leave(rooms[4])  # what the others do with it

    monkeypatch.setattr(delivering, "time", SimpleNamespace(sleep=give_way))
    process.manager.emit_encoded("message", _batch(rooms, range(10)))
    assert turns == [[80, 80, 0, 0, 0], [80, 80, 80, 80, 0]], "two events for each of forty"
    assert [one.numbers for one in members[4]] == [[], *[[4, 9]] * 39]


def test_a_piece_is_not_longer_than_a_slow_reader_may_miss(started: Callable[[], Process]) -> None:
    process = started()
    room = _room()
    socket = process.socket(room)
    process.manager.emit_encoded("message", _batch([room], range(20), size=10_000))
    assert socket.numbers == list(range(20))
    assert 5 <= socket.pieces <= 10


def test_one_who_is_slow_to_hear_takes_more_at_a_time(started: Callable[[], Process]) -> None:
    speaking, slow = started(), started()
    room = _room()
    socket = slow.socket(room)
    _settled(slow)
    holding = threading.Event()
    slow.manager.on_emit = lambda *_: holding.wait(5)
    for number in range(60):
        speaking.manager.emit_encoded("message", _batch([room], [number]))
    holding.set()
    until(lambda: len(socket.numbers) == 60, what="all that was said")
    assert socket.numbers == list(range(60))
    assert socket.pieces < 20


def test_one_who_takes_long_to_act_on_what_it_heard_does_not_take_that_for_silence(
    started: Callable[[], Process],
) -> None:
    speaking, slow = started(), started()
    room = _room()
    socket = slow.socket(room)
    _settled(slow)
    slow.manager.on_emit = lambda *_: time.sleep(ear.SILENCE_MAX_S + 0.3)
    speaking.say(room, 1)
    until(lambda: socket.numbers == [1], what="what was said")
    slow.manager.on_emit = None
    speaking.say(room, 2)
    until(lambda: socket.numbers == [1, 2], what="what was said after that")
    assert slow.regained == 1, "the connection was given up"


class Conversation:
    """Someone who speaks without a pause; ``head`` is what a database would say has been said."""

    def __init__(self, process: Process, rooms: list[str]) -> None:
        self.heads = dict.fromkeys(rooms, 0)
        self._process, self._ending = process, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._ending.is_set():
            with self._process.manager.together():
                for room in self.heads:
                    self.heads[room] += 1
                    self._process.say(room, self.heads[room])
            time.sleep(0.0005)

    def __enter__(self) -> Conversation:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()


def _missed(here: Process, conversation: Conversation, seed: int, *, waits: bool, tries: int) -> int:
    """Join in the middle again and again; gives how many changes neither the head told of nor the ear heard."""
    chance, missed = random.Random(seed), 0
    rooms = list(conversation.heads)
    for _ in range(tries):
        room = chance.choice(rooms)
        socket = here.socket(room)
        if waits:
            assert here.manager.ear.until_heard()
        head = conversation.heads[room]
        time.sleep(chance.random() * 0.004)
        up_to = conversation.heads[room]
        if waits:
            until(lambda: up_to == head or up_to in socket.numbers, what="the rest")  # noqa: B023
        missed += len(set(range(head + 1, up_to + 1)) - set(socket.numbers))
        here.manager.disconnect(socket.sid, "/", ignore_queue=True)
    return missed


@pytest.mark.parametrize("seed", [1, 2])
def test_who_joins_in_the_middle_of_a_storm_misses_nothing(
    started: Callable[[], Process], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(ear, "LET_GO_AFTER_S", 0.0)
    monkeypatch.setattr(ear, "LET_GO_LOOK_S", 0.0)
    monkeypatch.setattr(ear, "PING_EVERY_S", 0.001)  # topics are let go all the time
    speaking, here = started(), started()
    with Conversation(speaking, [_room() for _ in range(12)]) as conversation:
        assert _missed(here, conversation, seed, waits=True, tries=40) == 0


def test_who_does_not_wait_for_the_ear_would_miss_something(started: Callable[[], Process]) -> None:
    speaking, here = started(), started()
    with Conversation(speaking, [_room() for _ in range(12)]) as conversation:
        assert _missed(here, conversation, 4, waits=False, tries=60) > 0


def test_everything_is_asked_for_again_when_redis_comes_back(started: Callable[[], Process], wire: Proxy) -> None:
    speaking, here = started(), started()
    rooms = [_room() for _ in range(1_200)]  # more than one command takes
    socket = here.socket(*rooms)
    _settled(here)
    before = here.regained
    wire.cut()
    until(lambda: here.manager.ear._connection is None, what="the loss to be noticed")
    late = here.socket(rooms[0], _room())
    assert not here.manager.ear.until_heard()  # and nobody waits
    wire.heal()
    until(lambda: here.regained > before, what="the ear to be back")
    until(lambda: _said(speaking, rooms[-1], socket), within_s=20, what="the first to be heard again")
    for room in rooms:
        speaking.say(room, 5)
    until(lambda: socket.numbers.count(5) == 1_200 and 5 in late.numbers, what="all rooms")
    _settled(here)


def _said(speaking: Process, room: str, socket: Socket) -> bool:
    speaking.say(room, 1)
    time.sleep(0.05)
    return 1 in socket.numbers


def test_what_is_heard_too_late_is_made_good(started: Callable[[], Process], wire: Proxy) -> None:
    here = started()
    redis.timeout_s = 0.2
    before = here.regained
    wire.silence()
    here.socket(_room())
    assert not here.manager.ear.until_heard()
    wire.heal()
    until(lambda: here.regained > before, what="the sockets to be told where they stand")
    _settled(here)


def test_one_who_may_have_missed_something_is_named_only_then(started: Callable[[], Process]) -> None:
    here, named = started(), []
    known, new = uuid.uuid4().hex, uuid.uuid4().hex
    here.manager.ear.lend(known)
    here.socket(f"conversation:{known}", f"conversation:{new}")
    _settled(here)  # also where another has asked for it meanwhile
    here.manager.ear.when_heard([known, new], named.extend)
    here.socket(f"typing:{new}2")
    here.manager.ear.when_heard([f"{new}2"], named.extend)
    until(lambda: len(named) > 1, what="the answer")
    assert named == [new, f"{new}2"]


def test_a_topic_is_let_go_after_the_last_and_kept_where_somebody_comes_back(
    started: Callable[[], Process], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    looking, here = redis_py.Redis.from_url(url), started()
    shards = "SHARD" if ear.has_shards(looking.execute_command) else ""
    first, second = _room(), _room()
    channels = [redis.channel(ear.TOPIC + room.partition(":")[2]).encode() for room in (first, second)]

    def listed() -> list[bool]:
        found = looking.execute_command(f"PUBSUB {shards}CHANNELS", "parley:of:*")
        return [channel in found for channel in channels]

    socket = here.socket(first, second)
    _settled(here)
    assert listed() == [True, True]
    for room in (first, second):
        socket.leave(room)
    socket.enter(second)
    monkeypatch.setattr(ear, "LET_GO_AFTER_S", 0.0)
    monkeypatch.setattr(ear, "LET_GO_LOOK_S", 0.0)
    until(lambda: listed() == [False, True], what="the first to be let go")
    here.manager.ear.lend(first.partition(":")[2])  # as for a send whose sender is not connected here
    until(lambda: listed() == [True, True], what="the first to be heard again")


def test_a_process_of_the_version_before_still_hears_and_is_heard(started: Callable[[], Process], url: str) -> None:
    here, speaking = started(), started()
    older = redis_py.Redis.from_url(url).pubsub(ignore_subscribe_messages=True)
    older.subscribe(redis.channel("parley:emits"))
    older.get_message(timeout=5)
    room = _room()
    socket = here.socket(room)
    _settled(here)
    speaking.say(room, 3)
    until(lambda: socket.numbers, what="the new process to hear")
    heard = until(lambda: older.get_message(timeout=0.1), what="the older process to hear")
    assert orjson.loads(heard["data"])["emits"] == [["said", room, {}, '2["said",{"number":3}]']]
    assert socket.numbers == [3]
    redis.cache.publish(
        redis.channel("parley:emits"),
        orjson.dumps({"host_id": "an older one", "emits": [["said", room, {}, '2["said",{"number":4}]']]}),
    )
    until(lambda: socket.numbers == [3, 4], what="the older one to be heard")
    older.close()
    speaking.manager._looked_at = -ear.SILENCE_MAX_S * 10
    before = len(here.carried)
    speaking.say(room, 5)
    until(lambda: socket.numbers == [3, 4, 5], what="the new one")
    assert len(here.carried) == before + 1  # no copy for older ones any more


def test_leaving_looks_at_ones_own_rooms_only(started: Callable[[], Process]) -> None:
    here, room = started(), _room()
    staying, going = here.socket(room, _room()), here.socket(room, _room(), "user:1")
    here.manager.pre_disconnect(going.sid, "/")
    here.manager.disconnect(going.sid, "/", ignore_queue=True)
    assert not here.manager.is_connected(going.sid, "/")
    assert not any(going.sid in sids for sids in here.manager.rooms["/"].values())
    assert going.sid not in here.manager._entered
    assert here.manager.pending_disconnect == {}
    assert here.manager.rooms["/"].keys() == {None, staying.sid, *here.manager._entered[staying.sid]}


def test_who_is_alone_tells_nobody_and_who_comes_is_told_within_a_moment(started: Callable[[], Process]) -> None:
    speaking = started()
    room = _room()
    _settled(speaking)
    speaking.manager._looked_at = -60.0
    before, run_before = _published(), _calls("evalsha")
    speaking.say(room, 1)
    assert _published() == before, "nobody else is there"
    assert _calls("evalsha") == run_before, "nor is Redis asked for anything"
    here = started()
    socket = here.socket(room)
    _settled(here)
    time.sleep(fanout.LOOK_EVERY_S)
    speaking.say(room, 2)
    until(lambda: socket.numbers, what="the one who came to hear")
    assert socket.numbers == [2]


def _published() -> int:
    return _calls("publish") + _calls("spublish")


def _calls(command: str) -> int:
    return int(redis.cache.info("commandstats").get(f"cmdstat_{command}", {}).get("calls", 0))
