"""Two Redis that go away together: whoever has waited for the one does not wait as long again for the other."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from app import extensions
from app.extensions import Redis
from app.kernel.breaker import Breaker, Down

pytestmark = pytest.mark.fast
TIMEOUT_S = 0.3


@pytest.fixture
def hung() -> Iterator[str]:
    """The address of what takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch, hung: str) -> tuple[Redis, Breaker, Breaker]:
    """A pair of them, and the breakers of the log's and of the cache's."""
    monkeypatch.setattr(extensions, "LOG", Breaker("the log", extensions.REDIS_AWAY))
    monkeypatch.setattr(extensions, "CACHE", Breaker("the cache", extensions.REDIS_AWAY))
    redis = Redis()
    redis.bind(hung, hung, timeout_s=TIMEOUT_S)
    return redis, extensions.LOG, extensions.CACHE


def _waits_s(client: object) -> float:
    return client.connection_pool.connection_kwargs["socket_timeout"]  # type: ignore[attr-defined,no-any-return]


def test_the_second_to_hang_is_given_up_sooner(both: tuple[Redis, Breaker, Breaker]) -> None:
    redis, log, cache = both
    waited: list[float] = []
    for breaker, part in ((log, "log"), (cache, "cache")):
        began = time.monotonic()
        with pytest.raises(Down), breaker.guard():
            getattr(redis, part).ping()
        waited.append(time.monotonic() - began)
    assert waited[0] >= TIMEOUT_S
    assert waited[1] >= TIMEOUT_S / extensions.HASTE
    assert waited[1] < waited[0], "both in one handler would take 0.6 s"


@pytest.mark.parametrize("first", ["log", "cache"])
def test_one_that_answers_is_given_its_time_again(both: tuple[Redis, Breaker, Breaker], first: str) -> None:
    redis, log, cache = both
    lost, other, second = (log, cache, "cache") if first == "log" else (cache, log, "log")
    assert _waits_s(redis.log) == _waits_s(redis.cache) == TIMEOUT_S
    lost.failed(OSError("hung"))
    assert _waits_s(getattr(redis, first)) == TIMEOUT_S
    assert _waits_s(getattr(redis, second)) == TIMEOUT_S / extensions.HASTE
    with other.guard():
        pass
    assert _waits_s(getattr(redis, second)) == TIMEOUT_S
    lost.failed(OSError("it hangs still"))
    assert _waits_s(getattr(redis, second)) == TIMEOUT_S, "only what is new is a reason to hurry"
