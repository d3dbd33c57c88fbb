"""A power cut takes what was written and not synced, and leaves what was: shown on the message log's own server."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis

from embedded import Services
from embedded.redis import RedisLog
from tests.chaos.plug import Plug, is_possible

pytestmark = pytest.mark.skipif(not is_possible(), reason="there is no C compiler here")


@pytest.fixture
def log_of(tmp_path: Path) -> Iterator[Callable[[str], tuple[RedisLog, Plug]]]:
    """Start a message log with an fsync policy, on a disk whose plug can be pulled."""
    stopped = contextlib.ExitStack()

    def start(policy: str) -> tuple[RedisLog, Plug]:
        services = Services(tmp_path / policy, throwaway=True, postgres=False)
        stopped.callback(services.stop)
        log, plug = services.redis_log, Plug.make(services.place.home / "plug")
        assert log is not None
        log.settings = RedisLog.settings | {"appendfsync": policy}  # type: ignore[misc]
        with plug.preloaded():
            log.start()
        return log, plug

    yield start
    stopped.close()


def accepted_and_left(log: RedisLog, plug: Plug) -> tuple[int, int]:
    """Accept a hundred entries, pull the plug after the last ack, and count what is there afterwards."""
    client = redis.Redis.from_url(log.url)
    for number in range(100):
        client.xadd("messages:log", {"e": f"line {number}"})
    assert log.pid is not None
    psutil.Process(log.pid).kill()
    log.stop()
    plug.pull(log.data)
    log.start()
    return 100, redis.Redis.from_url(log.url).xlen("messages:log")


def test_a_log_that_syncs_always_keeps_all_it_has_acked(log_of: Callable[[str], tuple[RedisLog, Plug]]) -> None:
    accepted, left = accepted_and_left(*log_of("always"))
    assert left == accepted


def test_a_log_that_syncs_every_second_does_not(log_of: Callable[[str], tuple[RedisLog, Plug]]) -> None:
    accepted, left = accepted_and_left(*log_of("everysec"))
    assert left < accepted
