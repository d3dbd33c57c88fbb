"""What a server's processes use, children included, and the arithmetic of results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Usage:
    """Time on the processors, and memory that nobody else has (bytes)."""

    cpu_s: float
    own_bytes: int

    def __sub__(self, other: Usage) -> Usage:
        return Usage(self.cpu_s - other.cpu_s, self.own_bytes - other.own_bytes)


def usage(pids: Iterable[int]) -> Usage:
    """Measure processes and all that they have started."""
    family: dict[int, psutil.Process] = {}
    for pid in pids:
        parent = psutil.Process(pid)
        for process in [parent, *parent.children(recursive=True)]:
            family[process.pid] = process
    cpu_s, own = 0.0, 0
    for process in family.values():
        try:
            times = process.cpu_times()
            cpu_s += times.user + times.system + times.children_user + times.children_system
            own += process.memory_full_info().uss
        except psutil.Error:
            continue  # it ended meanwhile; its parent has its time
    return Usage(cpu_s, own)


def percentile(numbers: Sequence[float], percent: float) -> float:
    """Give a percentile, or zero of nothing."""
    ordered = sorted(numbers)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0
