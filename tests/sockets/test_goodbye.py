"""When the clients of a process that ends come back: spread evenly, so that the others are not asked for all at once."""

from __future__ import annotations

import itertools

import pytest

from app.sockets.connections import moments_ms

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(("count", "last_ms"), [(1, 100), (2, 204), (100, 694), (2_000, 8_295), (10_000, 10_099)])
def test_each_comes_back_at_a_moment_of_its_own_and_all_within_ten_seconds(count: int, last_ms: int) -> None:
    moments = moments_ms(count)
    assert len(moments) == len(set(moments)) == count
    assert (moments[0], moments[-1]) == (100, last_ms)
    steps = {later - earlier for earlier, later in itertools.pairwise(moments)}
    assert not steps or max(steps) - min(steps) <= 1, "evenly"


def test_nobody_there_is_nobody_to_tell() -> None:
    assert moments_ms(0) == []
