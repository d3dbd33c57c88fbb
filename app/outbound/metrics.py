"""What Prometheus is told: counts and times, never a name, an address or a word that somebody wrote.

The processes of one machine share their numbers through files under ``instance/metrics`` (prometheus_client's multi-process
mode), because a scrape of a shared port reaches any one of them: whichever answers, answers for all. A process that shares
nothing (the command line, a test) counts for itself.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, start_http_server, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from app.kernel import clock

log = logging.getLogger(__name__)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # where the library looks
FILE = re.compile(r"^(?P<kind>[a-z_]+)_(?P<pid>\d+)\.db$")
TIMES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
EMITTED_MAX = 5_000
WAITING_MAX = 100_000
COUNT_EVERY_S = 1.0
Counts = defaultdict[int, int]


class Times:
    """A histogram whose observations wait until they are counted together: on a message's way only a note is taken."""

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._seconds: deque[float] = deque(maxlen=WAITING_MAX)
        self._instants: deque[tuple[str, float]] = deque(maxlen=WAITING_MAX)
        self.note = self._seconds.append

    def note_since(self, instant: str) -> None:
        """Note the time since an instant of the wire; it is read later."""
        self._instants.append((instant, time.time()))

    def count(self) -> None:
        """Count what waits."""
        while self._instants:
            instant, at = self._instants.popleft()
            self.note(max(0.0, at - clock.parse(instant).timestamp()))
        counts, total = Counts(int), 0.0
        while self._seconds:
            seconds = self._seconds.popleft()
            counts[bisect_left(TIMES, seconds)] += 1
            total += seconds
        # The library has no way to observe many at once; one by one costs ten microseconds each.
        for bucket, number in counts.items():
            self._histogram._buckets[bucket].inc(number)  # noqa: SLF001
        if total:
            self._histogram._sum.inc(total)  # noqa: SLF001


class Numbers:
    """All metrics of a process, on a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.times: list[Times] = []
        self.accepted = self._times("accept", "From a send's arrival to its ack.", "mode", "behind", "through")
        (self.persisted,) = self._times("persist", "From a message's arrival to its commit.").values()
        words = "From a message's arrival to its final event at the sockets of a process."
        (self.emitted,) = self._times("emit", words).values()
        (self.received,) = self._times("receive", "From that event to a recipient's message:received.").values()
        self.missed = self._times("missed_query", "What reading missed messages took.", "source", "cache", "database")
        self.errors = self._count("errors", "Refusals and failures.", "door", "code")
        self.failed = self._count("deliveries_failed", "Messages that did not reach somebody.", "path")
        self.typing = self._count("typing", "Typing indicators.", "outcome")
        self.presence = self._count("presence", "Changes of presence.", "outcome")
        self.connections = Gauge(
            "parley_connections", "Open sockets.", registry=self.registry, multiprocess_mode="livesum"
        )

    def _times(self, name: str, words: str, label: str = "", *labelled: str) -> dict[str, Times]:
        names = (label,) if label else ()
        histogram = Histogram(f"parley_{name}_seconds", words, names, buckets=TIMES, registry=self.registry)
        made = {value: Times(histogram.labels(value)) for value in labelled} if label else {"": Times(histogram)}
        self.times += made.values()
        return made

    def _count(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(f"parley_{name}_total", words, labels, registry=self.registry)


@dataclass(frozen=True, slots=True)
class Reading:
    """A value that was asked for just now: its name without ``parley_``, what it is, and its labels."""

    name: str
    words: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


_numbers = [Numbers()]
_shared: list[Path] = []
_counting = threading.Lock()
_emitted: list[dict[tuple[str, int], float]] = [{}, {}]  # the younger half, the older half


def share(folder: Path) -> None:
    """Count into files from now on, with the other processes of this machine."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        os.environ[FOLDER] = str(folder)
        values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
        _numbers[:] = [Numbers()]
    except OSError as error:
        log.warning("metrics are of this process alone: %s", error)
        return
    _shared[:] = [folder]


def _sweep(folder: Path) -> None:
    """Clear away what was counted before all of the present processes; and what dead ones say that they have open."""
    files = [(path, match) for path in folder.glob("*.db") if (match := FILE.match(path.name))]
    living = [path for path, match in files if _lives(int(match["pid"]))]
    for path, match in files:
        if path not in living and (not living or match["kind"].startswith("gauge_live")):
            path.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


class Everything:
    """What was counted, and what is asked for at the moment of a scrape, as the library collects it."""

    def __init__(self, readings: Callable[[], Iterable[Reading]]) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        """Give all of it."""
        yield from _counted()
        yield from _asked(self._readings())


def exposition(readings: Callable[[], Iterable[Reading]]) -> bytes:
    """Give everything in Prometheus' text format."""
    return bytes(generate_latest(_registry(readings)))


def serve(host: str, port: int, readings: Callable[[], Iterable[Reading]]) -> None:
    """Answer scrapes of a process that serves nothing else, by the library's own server, on a thread of its own.

    It asks nobody who they are. A port that is taken is logged: the process has other work to do.
    """
    try:
        start_http_server(port, host, _registry(readings))
    except OSError as error:
        log.warning("the numbers are not served at %s:%s: %s", host, port, error)


def _registry(readings: Callable[[], Iterable[Reading]]) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(Everything(readings))
    return registry


def _counted() -> Iterable[Metric]:
    _count()
    if not _shared:
        return _numbers[0].registry.collect()
    _sweep(_shared[0])
    collector = MultiProcessCollector(CollectorRegistry(), path=str(_shared[0]))  # type: ignore[no-untyped-call]
    found: Iterable[Metric] = collector.collect()  # type: ignore[no-untyped-call]
    return found


def _asked(readings: Iterable[Reading]) -> Iterable[Metric]:
    gauges: dict[str, GaugeMetricFamily] = {}
    for one in readings:
        if one.name not in gauges:
            names = [name for name, _ in one.labels]
            gauges[one.name] = GaugeMetricFamily(f"parley_{one.name}", one.words, labels=names)
        gauges[one.name].add_metric([value for _, value in one.labels], one.value)
    return gauges.values()


# what is counted ------------------------------------------------------------------------------------------------------
def run(stopping: threading.Event) -> None:
    """Count what was noted, every second, until told to stop."""
    while not stopping.wait(COUNT_EVERY_S):
        _count()


def _count() -> None:
    with _counting:
        for times in _numbers[0].times:
            times.count()


def accepted(mode: str, seconds: float) -> None:
    """Count a message that was accepted behind or through."""
    _numbers[0].accepted[mode].note(seconds)


def persisted(created_at: Iterable[str]) -> None:
    """Count messages that were committed, by when they were made."""
    for instant in created_at:
        _numbers[0].persisted.note_since(instant)


def emitted(conversation_id: str, seq: int, created_at: str) -> None:
    """Count a final message that this process's sockets are given."""
    _numbers[0].emitted.note_since(created_at)
    if len(_emitted[0]) >= EMITTED_MAX:
        _emitted[:] = [{}, _emitted[0]]
    _emitted[0].setdefault((conversation_id, seq), time.monotonic())


def received(conversation_id: object, seq: int) -> None:
    """Count that a recipient says to have received a message which this process has emitted lately."""
    key = (str(conversation_id), seq)
    at = _emitted[0].get(key) or _emitted[1].get(key)
    if at is not None:
        _numbers[0].received.note(time.monotonic() - at)


def missed(source: str, seconds: float) -> None:
    """Count a catch-up that was answered from the cache or the database."""
    _numbers[0].missed[source].note(seconds)


def error(door: str, code: str) -> None:
    """Count a refusal or failure at a door (rest, socket, page)."""
    _numbers[0].errors.labels(door, code).inc()


def failed(path: str, count: int) -> None:
    """Count messages that did not reach somebody by a path."""
    _numbers[0].failed.labels(path).inc(count)


def typing(outcome: str) -> None:
    """Count a typing indicator: told or coalesced."""
    _numbers[0].typing.labels(outcome).inc()


def presence(outcome: str) -> None:
    """Count a change of presence: told, or put off because it came too soon after others."""
    _numbers[0].presence.labels(outcome).inc()


def connected(change: int) -> None:
    """Count a socket that came (1) or went (-1)."""
    _numbers[0].connections.inc(change)
