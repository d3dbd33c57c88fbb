"""The circuit breaker: once it fails, callers are told at once, and one probe tries again."""

from __future__ import annotations

import pytest

from app.kernel import breaker
from app.kernel.breaker import Breaker, Down

pytestmark = pytest.mark.fast


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    at = [100.0]
    monkeypatch.setattr(breaker.time, "monotonic", lambda: at[0])
    return at


def _fail(guarded: Breaker) -> None:
    with pytest.raises(Down), guarded.guard():
        raise ConnectionError("away")


def test_a_failure_refuses_the_next_callers_without_calling(now: list[float]) -> None:
    guarded = Breaker("it", (OSError,))
    _fail(guarded)
    with pytest.raises(Down), guarded.guard():
        pytest.fail("it was called")
    assert guarded.is_open
    assert guarded.has_failed


def test_after_a_second_one_probe_tries_and_the_others_are_refused_meanwhile(now: list[float]) -> None:
    guarded = Breaker("it", (OSError,))
    _fail(guarded)
    now[0] += breaker.PROBE_EVERY_S
    with guarded.guard():  # the probe
        assert guarded.is_open
    assert not guarded.is_open
    assert not guarded.has_failed


def test_a_failed_probe_opens_it_again(now: list[float]) -> None:
    guarded = Breaker("it", (OSError,))
    _fail(guarded)
    now[0] += breaker.PROBE_EVERY_S
    _fail(guarded)
    assert guarded.is_open


def test_another_error_is_not_the_servers(now: list[float]) -> None:
    guarded = Breaker("it", (OSError,))
    with pytest.raises(KeyError), guarded.guard():
        raise KeyError("mine")
    assert not guarded.is_open
