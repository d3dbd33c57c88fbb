"""What can become of a Redis beside being away: it refuses writes, comes back empty, or comes back with old data."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis

from embedded.account import Account
from embedded.programs import redis_server
from tests.faults.conftest import OTHER, PARTS, Ground
from tests.faults.test_partitions import reaches
from tests.support.clients import Event, Socket
from tests.support.proxy import Proxy
from tests.support.stack import free_port, until


class Server:
    """A Redis of the test's own that takes the place of one of the ground's."""

    def __init__(self, folder: Path, ground: Ground, part: str) -> None:
        self.folder, self.ground, self.part, self.port = folder, ground, part, free_port()
        self.was = ground.stack.environ[PARTS[part]]
        parts = urlsplit(self.was)
        account = parts.netloc.rpartition("@")[0]
        self.url = urlunsplit(parts._replace(netloc=f"{account}@127.0.0.1:{self.port}"))
        self.folder.mkdir(exist_ok=True)
        settings = f"port {self.port}\nbind 127.0.0.1\nrequirepass {parts.password}\ndir {folder}\nsave ''\n"
        settings += "appendonly yes\nappendfsync always\nmaxmemory-policy noeviction\n"
        self.process = subprocess.Popen(
            [str(redis_server(Account())), "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        self.process.stdin.write(settings.encode())
        self.process.stdin.close()
        self.client = redis.Redis.from_url(self.url)
        until(self._answers, what="the Redis")

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def take_over(self) -> None:
        """Have every process find this server where the other was."""
        self.ground.strike(lambda wire: wire.lead_to(self.url), self.part)

    def until_known(self) -> None:
        """Wait until the filter of known ids is complete here: sends need no database from then on."""
        self.ground.until_whole()
        until(lambda: self.client.exists("seen:complete"), within_s=20, what="the filter to be complete")
        self.ground.until_whole()  # who fills it also throws away memberships: these are read again now

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def start(ground: Ground, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start a Redis in the place of another; those that were there before are there again at the end."""
    servers: list[Server] = []

    def begin(part: str, *, copy_of: Path | None = None) -> Server:
        folder = tmp_path / f"{part}{len(servers)}"
        if copy_of is not None:
            shutil.copytree(copy_of, folder)
        servers.append(Server(folder, ground, part))
        servers[-1].take_over()
        return servers[-1]

    yield begin
    ground.heal()
    ground.until_whole()
    ground.check()  # nothing waits in a log that ends now
    for server in servers:
        redis.Redis.from_url(server.was).flushdb()  # it knows nothing of what was accepted elsewhere meanwhile
        ground.strike(lambda wire, url=server.was: wire.lead_to(url), server.part)
        server.kill()
    ground.until_whole()
    ground.check()


def live_again_s(ground: Ground) -> float:
    """Give the seconds until a message reaches the other process by Redis again: its emit, not a head that is fetched."""
    began = time.monotonic()
    while not _arrives(ground.listener.device, ground.behind.send_until_taken(within_s=5)[0].message["id"]):
        assert time.monotonic() - began < 10, "no live delivery"
    return time.monotonic() - began


def _arrives(device: Socket, message_id: str) -> bool:
    deadline = time.monotonic() + 0.4
    while time.monotonic() < deadline:
        if device.heard("message", lambda m: m["id"] == message_id and m["persisted"]):
            return True
        time.sleep(0.01)
    return False


QUIET_S = 1.2  # longer than a drainer waits between two tries


def told_until_quiet(ground: Ground) -> Counter[str]:
    """Count how often each message is told of from here on, until none is for a while; fails where there is no end to it."""
    events = ground.listener.device.events
    began, at = len(events), time.monotonic()
    known = began
    deadline = at + 8
    while time.monotonic() - at < QUIET_S:
        assert time.monotonic() < deadline, "what cannot be taken out of the log is told of again and again"
        if any(name == "message" for name, _ in events[known:]):
            at = time.monotonic()
        known = len(events)
        time.sleep(0.02)
    return Counter(body["id"] for name, body in events[began:] if name == "message")


@pytest.mark.parametrize("how", ["read-only", "out of memory"])
def test_a_log_that_refuses_writes_stops_no_send_and_is_used_again_when_it_takes_them(
    ground: Ground, start: Callable[..., Server], how: str
) -> None:
    log = start("log")
    ground.until_whole()
    with_entries = [ground.behind.try_once() for _ in range(2)]
    setting, value = ("min-replicas-to-write", "1") if how == "read-only" else ("maxmemory", "1")
    log.client.config_set(setting, value)
    taken, took_s = ground.behind.send_until_taken(within_s=5)
    assert took_s < 3, "design: within a second"
    assert taken.message["persisted"]
    reaches(ground, taken.message, within_s=5)
    assert all(tried.ok for tried in with_entries)
    told = told_until_quiet(ground)
    drainers = 1 + len(ground.stack.webs)  # each comes upon what waits once, and knows then that it is committed
    assert all(times <= drainers for times in told.values()), "what cannot be taken out is told of again and again"
    log.client.config_set(setting, "0")
    ground.until_whole()
    ground.check()


def taken_at_the_second_try(ground: Ground, log: Server) -> Event:
    """Send something that the log takes, and whose answer comes too late; the client's second try is what is acked."""
    body, before = ground.behind.next_body(), log.client.xlen("messages:log")
    ground.strike(lambda wire: wire.slow(0.25), "log", at=("web0",))
    tried = ground.behind.try_once(body)
    assert not tried.ok
    assert tried.is_temporary
    until(lambda: log.client.xlen("messages:log") == before + 1, what="the log to have it all the same")
    ground.strike(lambda wire: wire.slow(0), "log", at=("web0",))
    until(lambda: ground.behind.try_once(body).ok, within_s=5, what="the second try")
    assert log.client.xlen("messages:log") == before + 1
    return {"id": ground.behind.acked[-1]}


def test_both_redis_restarted_empty_lose_nothing_that_was_accepted(
    ground: Ground, start: Callable[..., Server], capsys: pytest.CaptureFixture[str]
) -> None:
    first = start("log")
    first.until_known()
    ground.strike(Proxy.cut, "database", at=("worker", "web0", "web1", "web2"))
    accepted = [ground.behind.send_until_taken(within_s=5)[0].message for _ in range(3)]
    accepted.append(taken_at_the_second_try(ground, first))
    assert first.client.xlen("messages:log") >= 4
    first.kill()
    start("log"), start("cache")
    ground.heal()
    took_s = ground.behind.send_until_taken(within_s=10)[1]
    for message in accepted:
        reaches(ground, message, within_s=10)
    live_s = live_again_s(ground)
    ground.until_whole()
    ground.check()
    with capsys.disabled():
        print(f"\n  both Redis empty: sends taken {took_s:.2f} s, live again {live_s:.2f} s after their return")


def test_a_log_restored_from_an_old_copy_brings_nothing_back_twice(
    ground: Ground, start: Callable[..., Server], tmp_path: Path
) -> None:
    first = start("log")
    first.until_known()
    ground.strike(Proxy.cut, "database", at=("worker", "web0", "web1", "web2"))
    copied = [ground.behind.send_until_taken(within_s=5)[0].message for _ in range(3)]
    shutil.copytree(first.folder, tmp_path / "copy")
    since = ground.behind.send_until_taken(within_s=5)[0].message
    ground.heal()
    for message in [*copied, since]:
        reaches(ground, message, within_s=10)
    first.kill()
    second = start("log", copy_of=tmp_path / "copy")
    assert second.client.xlen("messages:log") >= 3
    taken = ground.behind.send_until_taken(within_s=10)[0].message
    reaches(ground, taken, within_s=10)
    until(lambda: second.client.xlen("messages:log") == 0, what="the old entries to be settled")
    ground.until_whole()
    ground.check()
    assert ground.read_once(ground.stack.urls[OTHER]) == 200


@pytest.mark.parametrize("fault", [Proxy.cut, Proxy.silence], ids=["dead", "hung"])
def test_live_delivery_between_processes_is_back_soon_after_redis(
    ground: Ground, fault: Callable[[Proxy], None], capsys: pytest.CaptureFixture[str]
) -> None:
    ground.strike(fault, "log", "cache")
    ground.behind.send_until_taken(within_s=5)
    time.sleep(1)
    ground.heal()
    live_s = live_again_s(ground)
    with capsys.disabled():
        print(f"\n  live again {live_s:.2f} s after Redis")
    assert live_s < 5, "design: 2 s"
